// bench_store: what stands beside the server in scripts/bench store. Prints one JSON object; exit 1
// with a message on the first failure.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/bench/store/plain_writers.h"

namespace {

constexpr char kUsage[] =
    "usage: bench_store copy PORT TABLE ROWS BATCH       (the password: in PGPASSWORD)\n"
    "       bench_store insert PORT TABLE ROWS BATCH     (the password: in MYSQL_PWD)\n"
    "       bench_store write-batch DIRECTORY ROWS BATCH\n";

void print(pollux::bench::PlainWrites writes) {
  std::sort(writes.commits_ms.begin(), writes.commits_ms.end());
  auto quantile = [&](size_t percent) {
    return writes.commits_ms[writes.commits_ms.size() * percent / 100];
  };
  std::printf("{\"seconds\": %.6f, \"commit_p50_ms\": %.3f, \"commit_p99_ms\": %.3f}\n",
              writes.seconds, quantile(50), quantile(99));
}

}  // namespace

int main(int argc, char** argv) {
  auto number = [&](int place) { return std::strtoull(argv[place], nullptr, 10); };
  const std::string what = argc > 1 ? argv[1] : "";
  try {
    if (what == "copy" && argc == 6) {
      print(pollux::bench::copy_rows(static_cast<uint16_t>(number(2)), argv[3], number(4),
                                     static_cast<uint32_t>(number(5))));
    } else if (what == "insert" && argc == 6) {
      print(pollux::bench::insert_rows(static_cast<uint16_t>(number(2)), argv[3], number(4),
                                       static_cast<uint32_t>(number(5))));
    } else if (what == "write-batch" && argc == 5) {
      print(pollux::bench::write_batches(argv[2], number(3), static_cast<uint32_t>(number(4))));
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_store: %s\n", error.what());
    return 1;
  }
  return 0;
}
