// What a node of a pair must not forget, in one small file beside its journal.
//
// Thread: one at a time. Errors are the disk's; kDataLoss: the file is not whole; kUnimplemented:
// it was written by a newer version.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "ha/base/random_id.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/log_id.h"

namespace pollux {

struct PairState {
  DomainId domain;          ///< not set: it has never been of one
  JournalId journal;        ///< what its journal goes by in the arbiter's record
  LogId log;                ///< of the journal that this id vouches for
  Epoch led;                ///< the highest epoch that this node led
  bool unsynced = false;    ///< acks or commits may rest on bytes that are not synced
  bool installing = false;  ///< a snapshot takes the place of everything: what is there is void
  friend bool operator==(const PairState&, const PairState&) = default;
};

class PairFile {
 public:
  /// `directory` is there.
  PairFile(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  /// Nothing when there is no such file.
  absl::StatusOr<std::optional<PairState>> read() const;
  /// Lasts when the call returns; after an error the former state still stands there.
  absl::Status write(const PairState& state);

  std::string path() const;

 private:
  FileSystem& files_;
  const std::string directory_;
};

/// Lines of text, for people as well; the last has the checksum of those before it.
std::string encode_pair_state(const PairState& state);
absl::StatusOr<PairState> decode_pair_state(std::string_view text);

}  // namespace pollux
