// Picks rows of a chunk and carries along what each row means.
#pragma once

#include <vector>

#include "engine/operators/chunk.h"

namespace pollux {

class ChunkPick {
 public:
  /// The rows `picked` (places in `chunk`, ascending) as a chunk; valid until the next call.
  Chunk pick(const Chunk& chunk, const std::vector<uint32_t>& picked);

 private:
  std::vector<uint32_t> index_, chunk_ids_, output_ids_, keys_, causes_;
  std::vector<uint8_t> kinds_;
};

}  // namespace pollux
