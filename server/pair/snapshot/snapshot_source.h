// Makes snapshots of a node that leads: files that are linked or copied into a folder of their own,
// so that the node goes on with its own.
//
// The states of all plans stand behind one entry: those of the last round, so that a node that
// joins costs the active no pause, or, where they are not good enough, of one that is made for it.
// Then come the outboxes and the embedded stores, which may hold more than that: whoever goes on
// from the entry makes the same results again, and they are known by their ids. Thread: any; one
// snapshot at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/durability/persister.h"
#include "server/node/node.h"
#include "server/pair/snapshot/snapshot_folder.h"
#include "server/stores/store_set.h"

namespace pollux {

struct Snapshot {
  std::string id;
  EntryId at;
  std::vector<SnapshotFile> files;
};

class SnapshotSource {
 public:
  struct Options {
    std::string data_dir;
    std::string states;  ///< the folder of the states of plans
    /// The journal keeps what stands behind that entry for a while longer.
    std::function<void(Position)> keep_behind;
  };

  /// All outlive it.
  SnapshotSource(FileSystem& files, Node& node, Persister& persister, StoreSet& stores,
                 Options options);
  /// The last one's files go.
  ~SnapshotSource();

  /// kFailedPrecondition: the node does not lead; kUnavailable: a state could not be written, try
  /// again; else the disk's.
  absl::StatusOr<Snapshot> take();
  /// Up to `bytes` of a file of the snapshot. kNotFound: that one is no more; kOutOfRange: there is
  /// no such file in it, or it is not so long.
  absl::StatusOr<std::string> read(const std::string& id, const std::string& path, uint64_t offset,
                                   size_t bytes);

 private:
  absl::StatusOr<PersistReport> states();
  absl::Status gather(const PersistReport& report, Snapshot& snapshot) const;
  absl::Status link_folder(const std::string& from, const std::string& name) const;
  absl::Status link_states(const PersistReport& report) const;
  absl::Status link_file(const std::string& from, const std::string& to) const;
  absl::Status list_files(Snapshot& snapshot) const;
  std::string folder() const { return options_.data_dir + "/snapshot"; }

  FileSystem& files_;
  Node& node_;
  Persister& persister_;
  StoreSet& stores_;
  const Options options_;

  std::mutex mutex_;
  uint64_t taken_ = 0;
  EntryId states_given_;  ///< who asks once more may have found them rotten
  std::unique_ptr<Snapshot> current_;
};

}  // namespace pollux
