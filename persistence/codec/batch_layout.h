// What the two sides of batch_codec.h share. Flags are frozen.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/batch/column.h"

namespace pollux::batch_layout {

constexpr uint32_t kOneChunk = 1;  ///< of a batch
constexpr uint8_t kHasNulls = 1;   ///< of a column

/// Calls `each(row)` for every null row, in order.
template <class Each>
void for_each_null(const Column& column, Each&& each) {
  uint32_t first = 0;
  for (uint64_t word : column.null_words()) {
    for (; word != 0; word &= word - 1) {
      each(first + static_cast<uint32_t>(std::countr_zero(word)));
    }
    first += 64;
  }
}

}  // namespace pollux::batch_layout
