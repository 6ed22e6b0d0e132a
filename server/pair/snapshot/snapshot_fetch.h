// Gets a snapshot of the other node, until it is there: whatever fails is tried again, from where
// it was cut.
//
// Thread: one of its own; `done` and `trouble` are called on it. What the other node sends is not
// trusted: paths outside of a snapshot's parts, pieces that do not fit and files without an end are
// refused.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "persistence/files/file_system.h"
#include "server/pair/snapshot/snapshot_folder.h"

namespace pollux {

class SnapshotFetch {
 public:
  struct Options {
    std::string domain;
    std::string node;                    ///< this one
    std::function<std::string()> where;  ///< host:port of the other's server; empty: not known now
    std::function<void(EntryId at, uint64_t bytes)> done;  ///< it waits in the folder for a start
    std::function<void(const absl::Status&)> trouble;  ///< a try that failed; there will be more
  };

  /// `files` outlives it.
  SnapshotFetch(FileSystem& files, SnapshotFolder folder, Options options);
  /// What is under way is abandoned.
  ~SnapshotFetch();

  uint64_t bytes_got() const { return bytes_got_; }

 private:
  class Client;

  void run();
  absl::Status fetch();
  absl::Status fetch_files(Client& client);
  absl::Status fetch_file(Client& client, const SnapshotFile& file);
  bool wait(std::chrono::milliseconds time);

  FileSystem& files_;
  const SnapshotFolder folder_;
  const Options options_;

  // Of its thread: the snapshot that is under way.
  std::string id_;
  EntryId at_;
  std::vector<SnapshotFile> wanted_;
  size_t next_file_ = 0;

  std::atomic<uint64_t> bytes_got_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace pollux
