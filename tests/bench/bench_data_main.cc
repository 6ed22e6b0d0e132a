// Writes the workloads' data: bench_data EVENTS-FILE USERS-FILE. Exit 1 with a message on failure.
#include <cstdio>
#include <exception>

#include "tests/bench/workload_data.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_data EVENTS-FILE USERS-FILE\n");
    return 2;
  }
  try {
    using namespace pollux::bench;
    write_events(argv[1], make_events(kDefaultSeed, kEvents));
    write_users(argv[2], make_users());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_data: %s\n", error.what());
    return 1;
  }
  return 0;
}
