// What a snapshot consists of, and how one takes the place of a node's data.
//
// The parts of a node's data directory that a snapshot replaces: journal, outbox, stores and the
// states of plans. One that has come whole waits in `incoming/`; a start puts it in the place of
// what is there, before anything is opened, and what was there is set aside. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "persistence/files/file_system.h"

namespace pollux {

struct SnapshotFile {
  std::string path;  ///< below the data directory
  uint64_t bytes = 0;
};

/// Where states of plans stand in a snapshot, wherever a node's settings have them.
inline constexpr std::string_view kSnapshotStates = "states";

class SnapshotFolder {
 public:
  /// `states`: the folder of the states of plans.
  SnapshotFolder(FileSystem& files, std::string data_dir, std::string states);

  /// Where a snapshot is gathered.
  std::string incoming() const { return data_dir_ + "/incoming"; }

  /// Begins with an empty `incoming/`.
  absl::Status clear() const;
  /// A path that a snapshot may have: in one of its parts, and nowhere else.
  static bool is_path(std::string_view path);
  /// All files are there and last. From here on a start puts them in the place of what is there,
  /// with a journal that goes on behind `at`. {0, 0} and no files: the node begins with nothing.
  absl::Status complete(EntryId at) const;
  /// Puts a complete one in the place of what is there; true: there was one. To be called before
  /// anything in the data directory is opened. After an error, or an end in the middle, the next
  /// call goes on.
  absl::StatusOr<bool> install() const;

 private:
  struct Part {
    std::string name;   ///< in incoming/
    std::string place;  ///< where it belongs
  };
  std::vector<Part> parts() const;
  absl::Status put(const Part& part, const std::string& aside) const;

  FileSystem& files_;
  const std::string data_dir_;
  const std::string states_;
};

}  // namespace pollux
