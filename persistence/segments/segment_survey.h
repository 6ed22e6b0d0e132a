// What the frames of a segment come to: where its records end, what of them is proven to have
// lasted, and whether what is missing was torn by a crash or has rotted.
//
// A record says below which sequence everything lasted when it was written. So bytes that are no
// frame are rot when a whole frame behind them says that the record which should stand there had
// lasted; otherwise they were never made to last, and the segment ends before them.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/frame.h"

namespace pollux {

/// Records [from, to) cannot be read any more.
struct Rot {
  uint64_t from = 0;
  uint64_t to = 0;
  uint64_t offset = 0;  ///< in the file
};

struct Survey {
  uint64_t next = 0;         ///< the sequence behind the last record
  uint64_t tag = 0;          ///< of the last record
  uint64_t durable = 0;      ///< everything below it has lasted for sure
  uint64_t whole_bytes = 0;  ///< the file's good part; what follows was torn
  uint64_t torn_bytes = 0;
  std::vector<Rot> rot;
  struct Unproven {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };
  std::vector<RecordId> tag_ends;  ///< the last record of each tag, in order
  std::vector<Unproven> unproven;  ///< frames of the records from `durable` on
};

/// Over the whole file, of which `header` was read. `end`: where the next segment begins, when
/// there is one; then everything below it has lasted.
absl::StatusOr<Survey> survey_segment(const ReadFile& file, const SegmentHeader& header,
                                      uint64_t end = 0);

}  // namespace pollux
