// Writes to a store until it is killed: crash_writer DIRECTORY SEED
//
// Prints one byte for each position that was written, so that the test knows what it may expect.
// With seed 0 it only opens the store and waits, for the test of a directory in use.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "storage/rocks_store.h"
#include "tests/storage/crash_rows.h"

namespace {

int fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto seed = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  pollux::RocksStoreOptions options;
  options.name = "CRASH";
  options.directory = argv[1];
  options.write_buffer_bytes = 64 * 1024;  // small: files are written and merged all the time
  auto store = pollux::open_rocks_store(options);
  if (!store.ok()) return fail(store.status());
  if (seed == 0) {
    if (::write(STDOUT_FILENO, ".", 1) != 1) return 1;
    ::pause();
  }
  for (const auto& table : {pollux::testing::crash_events(), pollux::testing::crash_counts(),
                            pollux::testing::crash_refused()}) {
    if (absl::Status opened = (*store)->open_table(table); !opened.ok()) return fail(opened);
  }
  auto reached = (*store)->progress("REFUSED", pollux::testing::kCrashSources[0]);
  if (!reached.ok()) return fail(reached.status());
  uint64_t position = reached->has_value() ? (*reached)->entry.position.value : 0;
  while (true) {
    absl::Status written = pollux::testing::crash_write(**store, seed, ++position);
    if (!written.ok()) return fail(written);
    if (::write(STDOUT_FILENO, ".", 1) != 1) return 1;
  }
}
