// A look at a journal from outside: it changes nothing and takes no lock, so the journal may be
// another process's, which goes on writing, or a copy on a disk that cannot be written.
//
// Of a journal that is written meanwhile, the last segment is as it was at some moment of the look,
// and may show entries that are written and do not last yet; entries that are truncated meanwhile
// may be told as rotten, or their segment as not there, and a second look is right. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/segment_index.h"
#include "persistence/segments/segment_survey.h"

namespace pollux {

struct JournalSegment {
  std::string path;
  Position first;  ///< of its name
  uint64_t bytes = 0;
  /// kDataLoss: its header is rotten, or it is of another journal than those before;
  /// kFailedPrecondition: newer. Then all below is as it stands here.
  absl::Status status = {};

  LogId journal = {};
  uint64_t entries = 0;  ///< that can be read
  EntryId first_entry;   ///< of them, as are the next three; {0, 0} when there is none
  EntryId last_entry;
  Timestamp first_time;
  Timestamp last_time;
  /// It was ended on purpose: behind its last entry a mark says that all of them have lasted.
  bool sealed = false;
  uint64_t torn_bytes = 0;  ///< behind the last entry; a start of the server cuts them off
  std::vector<Rot> rot;     ///< entries that are missing, and where
  uint64_t unknown = 0;     ///< of the entries: in a form that this program does not know
};

/// All segments, by first position; every byte is read. kNotFound: no segment is there; the
/// disk's.
absl::StatusOr<std::vector<JournalSegment>> survey_journal(FileSystem& files,
                                                           const std::string& directory);

/// What a JournalReader needs to read from `from` on up to the entry that is the last one now.
/// Segments that hold only what is before `from` may be as they like. kNotFound: no segment is
/// there; kDataLoss, kFailedPrecondition: as in JournalSegment; the disk's.
absl::StatusOr<std::shared_ptr<const SegmentIndex>> index_journal(FileSystem& files,
                                                                  const std::string& directory,
                                                                  Position from);

}  // namespace pollux
