// From the body of a revision, which comes in pieces, to the state: by several threads where there
// is much of it. Thread: one at a time; those that it starts end before each call returns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "persistence/state/block_codec.h"
#include "persistence/state/revision_format.h"
#include "persistence/state/state_bytes.h"

namespace pollux {

class BodyUnpacker {
 public:
  /// Appends to `state`, which outlives the unpacker.
  BodyUnpacker(const RevisionTrailer& trailer, size_t threads, StateBytes& state);

  /// kDataLoss: this is no body, or one of a longer state than the trailer says.
  absl::Status append(std::string_view piece);
  /// kDataLoss: something is missing.
  absl::Status finish() const;

 private:
  struct Block {
    BlockHeader header;
    std::string_view frame;
    size_t offset;  ///< in the state
  };

  absl::Status unpack(const std::vector<Block>& blocks);

  const uint64_t state_bytes_;
  const size_t threads_;
  StateBytes& state_;
  std::string left_;  ///< the begin of a block that is not all there
};

}  // namespace pollux
