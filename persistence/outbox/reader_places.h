// Where the readers of an outbox stand, each in a file beside its segments: "confirmed.NAME".
//
// A reader that was noted once keeps its place over every end of the process, until it is
// forgotten. Thread: any. Errors are the disk's; after kResourceExhausted a call can be made again,
// and until then the file tells an earlier place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/outbox/reader_place.h"

namespace pollux {

class ReaderPlaces {
 public:
  /// What stands in the outbox's directory, which is there.
  static absl::StatusOr<std::unique_ptr<ReaderPlaces>> read(FileSystem& files,
                                                            const std::string& directory);

  /// All rows below it are confirmed by every reader; 1 when that is not known.
  uint64_t confirmed_below() const;
  /// To be called once the outbox is open and has rows [first, next): a reader that stands behind
  /// its end, since rows were lost with the power, is brought back, and one whose place has rotted
  /// begins with the first row. Rows may come twice so, never not at all.
  absl::Status settle(uint64_t first, uint64_t next);

  /// By key.
  std::map<std::string, uint64_t, std::less<>> all() const;
  /// The keys of those that have rotted.
  const std::vector<std::string>& rotten() const { return rotten_; }

  /// What a reader goes by here, whatever its name.
  static std::string key_of(std::string_view reader);
  /// The reader stands at `offset`; lasts when the call returns.
  absl::Status put(const std::string& key, uint64_t offset);
  /// The same, but may be lost with the power. Of a reader that was forgotten, or stands there or
  /// behind: nothing.
  absl::Status confirm(const std::string& key, uint64_t offset);
  absl::Status forget(const std::string& key);

 private:
  struct Reader {
    ReaderPlace file;
    uint64_t offset = 0;
  };

  ReaderPlaces(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  FileSystem& files_;
  const std::string directory_;
  std::vector<std::string> rotten_;
  std::vector<std::string> unfinished_;  // files that a dead process left

  mutable std::mutex mutex_;
  std::map<std::string, Reader, std::less<>> readers_;
};

}  // namespace pollux
