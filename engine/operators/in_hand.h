// Where an event is kept: in a slot of a RowStore, or still in a row of the chunk in hand.
#pragma once

#include <cstdint>

#include "engine/operators/row_store.h"

namespace pollux::in_hand {

inline constexpr Slot kMark = 0x80000000;

inline bool holds(Slot slot) { return slot != RowStore::kNoSlot && (slot & kMark) != 0; }
inline Slot of_row(uint32_t i) { return kMark | i; }
inline uint32_t row_of(Slot slot) { return slot & ~kMark; }

}  // namespace pollux::in_hand
