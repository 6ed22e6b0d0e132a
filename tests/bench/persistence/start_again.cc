#include "tests/bench/persistence/start_again.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "persistence/state/revision_store.h"
#include "persistence/state/state_folder.h"
#include "tests/bench/persistence/lasting_node.h"
#include "tests/bench/persistence/login_feed.h"
#include "tests/bench/persistence/persist_pause.h"

namespace pollux::bench {
namespace {

constexpr uint32_t kUsers = 10'000;
constexpr uint32_t kBatchRows = 1000;
constexpr size_t kReadBytes = size_t{1} << 20;

double seconds_since(int64_t begun) { return static_cast<double>(now_ns() - begun) / 1e9; }

/// The pages of everything in the folder leave the cache.
void forget_pages(const std::string& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw std::runtime_error("cannot open " + entry.path().string());
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

/// Reads the file to its end; its bytes.
uint64_t read_all(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw std::runtime_error("cannot open " + path);
  std::vector<char> buffer(kReadBytes);
  uint64_t bytes = 0;
  ssize_t got = 0;
  while ((got = ::read(file, buffer.data(), buffer.size())) > 0) {
    bytes += static_cast<uint64_t>(got);
  }
  ::close(file);
  if (got < 0) throw std::runtime_error("cannot read " + path);
  return bytes;
}

struct StateFile {
  std::string path;
  uint64_t bytes;  ///< of the state
};

/// The newest revision of the plan that measure_pause() has.
StateFile newest_state(const std::string& folder) {
  PosixFileSystem files;
  RevisionStore::Options options;
  options.location = folder + "/cep_persistence";
  options.folder = state_folder_of(kPausedPlan);
  auto store = RevisionStore::open(files, options);
  if (!store.ok()) throw std::runtime_error(store.status().ToString());
  auto listed = (*store)->list();
  if (!listed.ok() || listed->empty() || !listed->front().info.ok()) {
    throw std::runtime_error("there is no state in " + folder);
  }
  return {listed->front().path, listed->front().info->trailer.state_bytes};
}

}  // namespace

void fill_journal(const std::string& folder, uint64_t events) {
  LastingNode node(folder);
  node.deploy("@app:name('W1')\n" + std::string(LoginFeed::kStream) +
              "from LoginStream[success == false] select username, ip insert into Out;\n");
  LoginFeed feed(node.node().intake(), kUsers, kBatchRows);
  feed.send(events);
}

void measure_recovery(const std::string& folder) {
  forget_pages(folder);
  int64_t begun = now_ns();
  LastingNode node(folder);
  node.wait_until_applied("W1");
  double seconds = seconds_since(begun);
  uint64_t replayed = node.durability().recovered().events;
  std::printf("{\"events\": %llu, \"seconds\": %.3f, \"events_per_second\": %.0f}\n",
              static_cast<unsigned long long>(replayed), seconds,
              static_cast<double>(replayed) / seconds);
}

void measure_restore(const std::string& folder) {
  StateFile state = newest_state(folder);
  forget_pages(folder);
  int64_t begun = now_ns();
  uint64_t file_bytes = read_all(state.path);
  double read_seconds = seconds_since(begun);
  forget_pages(folder);
  begun = now_ns();
  LastingNode node(folder);
  double seconds = seconds_since(begun);
  if (node.durability().recovered().plans != 1 || node.durability().recovered().events != 0) {
    throw std::runtime_error("it did not come back from a state alone");
  }
  std::printf(
      "{\"state_bytes\": %llu, \"file_bytes\": %llu, \"seconds\": %.3f, "
      "\"state_mb_per_second\": %.0f, \"disk_mb_per_second\": %.0f}\n",
      static_cast<unsigned long long>(state.bytes), static_cast<unsigned long long>(file_bytes),
      seconds, static_cast<double>(state.bytes) / seconds / 1e6,
      static_cast<double>(file_bytes) / read_seconds / 1e6);
}

}  // namespace pollux::bench
