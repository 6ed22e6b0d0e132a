// How the allocator of the programs behaves; see jemalloc(3), "malloc_conf".
//
// Huge pages, where the kernel gives them: forking a child that saves a state of gigabytes takes
// less, and so does searching such a state.

extern "C" {
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): the name is jemalloc's
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,background_thread:true";
}
