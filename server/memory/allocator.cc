// How the allocator of the programs behaves; see jemalloc(3), "malloc_conf".
//
// Huge pages, where the kernel gives them: a forked child that saves a state of gigabytes is there
// in milliseconds, and searching such a state takes fewer reads of memory.

extern "C" {
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): the name is jemalloc's
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,background_thread:true";
}
