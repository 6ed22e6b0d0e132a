// One side of a join as a trigger: its rows look for partners on the other side, and each pair goes
// on as one row (left attributes, then right ones).
//
// The pairs of one row are one chunk, those of a chunk go on as one, unless told otherwise; they
// have the row's kind and timestamp. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/operators/chunk.h"
#include "engine/operators/output_gate.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/search.h"

namespace pollux {

struct JoinSidePlan {
  SchemaPtr joined;       ///< left attributes, then right ones
  size_t own_offset = 0;  ///< where this side's attributes begin in `joined`
  size_t other_offset = 0;
  std::vector<bool> own_needed;  ///< columns that are read behind the join
  std::vector<bool> other_needed;
  bool outer = false;  ///< rows without a partner go on, with nulls
  bool apart = false;  ///< the pairs of each row go on alone
  /// Pairs whose timestamps are further apart are none.
  std::optional<int64_t> within_ms;
};

/// A reset that met no pair waits, by instance, for the next pair of either side.
class PendingResets final : public KeyedState<uint8_t>, public Stateful {
 public:
  void archive_state(StateArchive& archive) override { KeyedState<uint8_t>::archive(archive); }
};

/// Where one stream is both sides of a join: each row goes to the left side, then to the right.
class BothSides final : public Receiver {
 public:
  /// `gate`: where the plan feeds itself, what comes out waits there until all rows are in.
  BothSides(Receiver& left, Receiver& right, OutputGate* gate)
      : left_(left), right_(right), gate_(gate) {}
  void receive(const Chunk& chunk) override;

 private:
  Receiver& left_;
  Receiver& right_;
  OutputGate* gate_;
};

class JoinSide final : public Receiver, public KeyedOperator {
 public:
  JoinSide(JoinSidePlan plan, Searched& other, PendingResets& resets, Receiver& next);

  void receive(const Chunk& chunk) override;
  void drop_key(uint32_t key) override;
  size_t state_bytes() const override { return 0; }
  void archive_state(StateArchive&) override {}  // the resets are a part of their own

 private:
  void drop_distant_matches(const Chunk& chunk);
  void add_outer_matches(const Chunk& chunk);
  void hand_on(const Chunk& chunk);

  JoinSidePlan plan_;
  Searched& other_;
  PendingResets& resets_;
  Receiver& next_;
  EventBatch out_;
  std::vector<Match> matches_, with_outer_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> rows_, chunk_ids_, output_ids_, keys_, causes_;
  std::vector<uint8_t> kinds_;
};

}  // namespace pollux
