// The revisions of one plan's state: <location>/<tenant>/<folder>/<TIMESTAMP>_<folder>.
//
// Timestamps only grow, also where the clock does not. A file belongs here when its name says so
// and it begins as a revision does; everything else is left alone, as is whatever a newer version
// wrote. Thread: one at a time; one process at a time has the location (it holds a lock there).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/state/revision_names.h"
#include "persistence/state/revision_reader.h"
#include "persistence/state/revision_writer.h"

namespace pollux {

/// What a plan can go on from.
struct NewestRevision {
  std::optional<Revision> revision;       ///< empty when there is no valid one
  std::string path;                       ///< of the revision
  uint64_t timestamp_ms = 0;              ///< of its name
  std::vector<absl::Status> passed_over;  ///< why not each of the newer ones, newest first
};

class RevisionStore {
 public:
  struct Options {
    std::string location = "cep_persistence";
    std::string tenant = "-1234";
    std::string folder;  ///< state_folder_of() a plan, or kNodeStateFolder
    size_t revisions_to_keep = 2;
  };

  /// Makes the directory and takes away what a dead process did not finish. What is there lasts.
  static absl::StatusOr<std::unique_ptr<RevisionStore>> open(FileSystem& files, Options options);

  /// Begins the next revision; prune() follows once it is finished.
  absl::StatusOr<std::unique_ptr<RevisionWriter>> begin(const RevisionHeader& header);
  /// Removes every revision older than the latest `revisions_to_keep` valid ones, of which the
  /// newest must just have been finished. Reads the others to see whether they are valid.
  absl::Status prune();

  /// Newest first.
  absl::StatusOr<std::vector<ListedRevision>> list() const;
  /// The newest revision that is valid to its last byte, of those older than `before_ms`.
  absl::StatusOr<NewestRevision> newest_valid(uint64_t before_ms = UINT64_MAX) const;

  const std::string& directory() const { return directory_; }

 private:
  RevisionStore(FileSystem& files, Options options);
  absl::StatusOr<std::vector<RevisionName>> names() const;
  absl::Status remove_temporaries();

  FileSystem& files_;
  const Options options_;
  const std::string directory_;
};

}  // namespace pollux
