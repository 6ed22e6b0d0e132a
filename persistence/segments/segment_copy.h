// The front of a segment as a file of its own, for a log whose end is cut. Thread: the log's.
#pragma once

#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/segment_files.h"

namespace pollux {

/// Writes the records of `segment` up to `last`, each once, and a mark that says that they last,
/// which they do when the call returns; the file is still to be named (name_segment_file).
/// kDataLoss: one of them cannot be read; kResourceExhausted; the disk's. `segment` stays as it is.
absl::StatusOr<SegmentFile> copy_front(FileSystem& files, const LogPlace& place,
                                       const SegmentFile& segment, RecordId last);

}  // namespace pollux
