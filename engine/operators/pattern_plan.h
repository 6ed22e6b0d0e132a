// What the planner makes of a pattern or a sequence: states, streams, and what is read of events.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/expression/expression.h"
#include "engine/types/schema.h"

namespace pollux {

/// An attribute of an event that an instance holds. `column` kPresence: whether it is there.
struct PatternReference {
  static constexpr int32_t kPresence = -1;

  uint32_t state = 0;
  bool from_back = false;
  uint32_t place = 0;
  int32_t column = 0;
  AttributeType type = AttributeType::kBool;

  friend bool operator==(const PatternReference&, const PatternReference&) = default;
};

/// Places of the sources in the frame of a state's filter.
struct PatternSource {
  static constexpr uint32_t kEvent = 0;       ///< the event that is offered
  static constexpr uint32_t kReferences = 1;  ///< one row, one column a reference
};

/// A `within` of a part of a pattern: an instance whose next event comes later is gone.
struct PatternLimit {
  int64_t ms = 0;
  uint64_t since = 0;  ///< counted from the first event of each of these states; 0: the last event
};

struct PatternState {
  enum class Kind : uint8_t { kSingle, kCount, kAnd, kOr };
  static constexpr int32_t kNone = -1;

  Kind kind = Kind::kSingle;
  uint32_t input = 0;        ///< which of the pattern's streams
  ExpressionPtr local;       ///< filter on the event alone; null: none
  ExpressionPtr correlated;  ///< filter that reads events of the instance as well; null: none
  std::vector<uint32_t> correlated_references;  ///< which references it reads
  int64_t min_count = 1;
  int64_t max_count = 1;
  int32_t partner = kNone;       ///< of and/or
  int32_t next = kNone;          ///< kNone: the last
  int32_t every = kNone;         ///< the state at which a new instance begins once this is through
  int32_t within_every = kNone;  ///< the state at which one begins when an instance gets too old
  int32_t restarts = kNone;      ///< an optional start state that begins anew with this one
  bool start = false;
  bool last = false;
  bool absent = false;            ///< the state is passed when no event comes
  std::optional<int64_t> for_ms;  ///< of absent states: how long none comes; empty: see its partner
  std::vector<PatternLimit> limits;  ///< how late it may take an event
};

/// The state's place in a mask of states.
constexpr uint64_t bit(size_t state) { return uint64_t{1} << state; }

/// What a pattern (a -> b) or a sequence (a, b) consists of.
struct PatternPlan {
  static constexpr size_t kStatesMax = 64;

  bool sequence = false;
  bool keyed = false;          ///< inside of a partition
  bool matches_apart = false;  ///< each match goes on alone, however many one event completes
  std::optional<int64_t> within_ms;
  std::vector<SchemaPtr> inputs;
  std::vector<PatternState> states;
  std::vector<PatternReference> references;  ///< what filters and the selection read
  std::vector<uint32_t> outputs;             ///< references that the selection reads, in order
};

}  // namespace pollux
