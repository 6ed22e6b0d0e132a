// Writes one state revision, in pieces: under a temporary name until all of it lasts.
//
// The order is what makes a revision whole or absent after a crash at any moment: bytes, sync,
// rename, sync of the directory. A writer that failed or is not finished takes its temporary file
// away. Needs a few MiB of memory, however large the state is. Thread: one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/state/block_codec.h"
#include "persistence/state/revision_format.h"
#include "persistence/state/state_hasher.h"

namespace pollux {

class RevisionWriter {
 public:
  struct Names {
    std::string directory;
    std::string file;
    std::string temporary;
  };

  /// Makes the temporary file; nothing of that name may stand there.
  static absl::StatusOr<std::unique_ptr<RevisionWriter>> create(FileSystem& files, Names names,
                                                                const RevisionHeader& header);
  ~RevisionWriter();

  /// After an error everything that follows is that error.
  absl::Status append(std::string_view bytes);
  /// The revision stands under its name, for good. Nothing may follow.
  absl::StatusOr<RevisionTrailer> finish();

 private:
  RevisionWriter(FileSystem& files, Names names);
  absl::Status write_block(std::string_view plain);
  absl::Status complete();

  FileSystem& files_;
  const Names names_;
  std::unique_ptr<AppendFile> file_;
  bool temporary_ = false;  ///< the temporary file is there
  absl::Status status_;
  RevisionTrailer trailer_;
  StateHasher hasher_;
  BlockPacker packer_;
  std::string block_;  ///< what is not yet a whole block
};

}  // namespace pollux
