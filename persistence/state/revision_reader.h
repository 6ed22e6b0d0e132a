// Reads a state revision, and believes it only when every checksum is right. Thread: any.
//
// Errors, all with the path: those of the file system; kInvalidArgument: this is no revision;
// kUnimplemented: it was written by a newer version; kDataLoss: it rotted or is not all there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/state/revision_format.h"
#include "persistence/state/state_bytes.h"

namespace pollux {

struct RevisionInfo {
  RevisionHeader header;
  RevisionTrailer trailer;
};

/// Header and trailer only: takes no time, and says nothing about rot in between.
absl::StatusOr<RevisionInfo> read_revision_info(FileSystem& files, const std::string& path);

/// Reads all of the file and compares checksums, without unpacking it.
absl::StatusOr<RevisionInfo> verify_revision(FileSystem& files, const std::string& path);

struct Revision {
  RevisionInfo info;
  StateBytes bytes;
  std::string_view state() const { return {bytes.data(), bytes.size()}; }
};

/// The whole state. Large ones are unpacked by `threads` threads.
absl::StatusOr<Revision> read_revision(FileSystem& files, const std::string& path,
                                       size_t threads = 2);

}  // namespace pollux
