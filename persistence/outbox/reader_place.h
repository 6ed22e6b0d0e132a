// How far one reader of an outbox has come, in a file of its own: every confirmation is a record
// behind the one before, and the last whole record counts. Once there are many the file is written
// anew. A confirmation survives the end of the process, but is not synced: after a loss of power
// the file may tell an earlier place, never a later one. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"

namespace pollux {

class ReaderPlace {
 public:
  /// A file that may not be there yet.
  ReaderPlace(FileSystem& files, std::string directory, std::string name)
      : files_(&files), directory_(std::move(directory)), name_(std::move(name)) {}

  /// The place that the file tells; nothing when it has rotted. kNotFound;
  /// kFailedPrecondition: a newer version.
  absl::StatusOr<std::optional<uint64_t>> read() const;
  /// The reader stands at `offset`; lasts when the call returns.
  absl::Status put(uint64_t offset);
  /// The same, but may be lost with the power. After an error the file may tell an earlier place;
  /// kResourceExhausted: it can be tried again.
  absl::Status move(uint64_t offset);
  absl::Status remove();

 private:
  FileSystem* files_;
  std::string directory_;
  std::string name_;
  std::unique_ptr<AppendFile> file_;  // null: the next record begins a new file
};

}  // namespace pollux
