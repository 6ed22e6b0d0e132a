// How the allocator of the programs behaves; see jemalloc(3), "malloc_conf".
//
// Huge pages, where the kernel gives them: forking a child that saves a state of gigabytes takes
// less, and so does searching such a state. What was freed goes back to the kernel after a minute
// and not after ten seconds: batches come and go, and clearing their pages again took a tenth of an
// active node's CPU.

extern "C" {
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): the name is jemalloc's
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,background_thread:true,dirty_decay_ms:60000";
}
