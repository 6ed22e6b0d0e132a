// Strong types for the numbers that name things, so that none is taken for another.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace pollux {

/// A reign of one active node; grows with every lead.
struct Epoch {
  uint64_t value = 0;
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

/// An entry's place in the journal; grows by one.
struct Position {
  uint64_t value = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// Identity of an entry, for ever.
struct EntryId {
  Epoch epoch;
  Position position;
  friend auto operator<=>(const EntryId&, const EntryId&) = default;
};

/// Milliseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
  int64_t ms = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

}  // namespace pollux
