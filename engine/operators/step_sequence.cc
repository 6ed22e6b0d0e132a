#include "engine/operators/step_sequence.h"

#include <algorithm>
#include <utility>

#include "engine/base/time_distance.h"
#include "engine/operators/in_hand.h"

namespace pollux {
namespace {

/// How many of the last events instances at these states have taken.
uint32_t events_of(uint64_t waiting) {
  return waiting == 0 ? 0 : static_cast<uint32_t>(63 - __builtin_clzll(waiting));
}

}  // namespace

bool StepSequence::suits(const PatternPlan& plan) {
  if (!plan.sequence || plan.states.size() < 2) return false;
  for (size_t s = 0; s < plan.states.size(); ++s) {
    const PatternState& state = plan.states[s];
    bool first = s == 0;
    bool last = s + 1 == plan.states.size();
    if (state.absent || !state.limits.empty() || state.kind != PatternState::Kind::kSingle ||
        state.start != first || state.last != last || state.restarts != PatternState::kNone ||
        state.every != (first ? 0 : PatternState::kNone) ||
        state.next != (last ? PatternState::kNone : static_cast<int32_t>(s) + 1)) {
      return false;
    }
  }
  return true;
}

StepSequence::StepSequence(PatternPlan pattern, PlanContext& context, Receiver& next)
    : PatternOperator(std::move(pattern), context, next) {
  for (const PatternReference& reference : plan().references) {
    if (reference.column != PatternReference::kPresence) stored_states_ |= bit(reference.state);
  }
  for (size_t s = 0; s < plan().states.size(); ++s) {
    if (plan().states[s].correlated) correlated_states_ |= bit(s);
  }
}

void StepSequence::receive(uint32_t input, const Chunk& chunk) {
  take_in_hand(input, chunk);
  mark_rows(chunk, input);
  constexpr uint32_t kAhead = 8;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (i + kAhead < chunk.rows) prefetch(chunk.key(i + kAhead));
    uint32_t key = chunk.key(i);
    grow_to(key);
    if (waiting_[key] != 0 || (marks_[i] & 1) != 0) offer(key, i);
    if (plan().within_ms && waiting_[key] != 0) arm_sweeper(i);
  }
  hand_on();
}

void StepSequence::mark_rows(const Chunk& chunk, uint32_t input) {
  marks_.assign(chunk.rows, 0);
  for (uint32_t s : states_of_input(input)) {
    const std::vector<uint8_t>& rows = passing(s);
    for (uint32_t i = 0; i < chunk.rows; ++i) marks_[i] |= uint64_t{rows[i]} << s;
  }
}

void StepSequence::grow_to(uint32_t key) {
  if (key < waiting_.size()) return;
  waiting_.resize(key + 1, 0);
  kept_.resize(waiting_.capacity() * (plan().states.size() - 1));
}

void StepSequence::prefetch(uint32_t key) const {
  if (key >= waiting_.size()) return;
  __builtin_prefetch(&waiting_[key]);
  __builtin_prefetch(&kept_[size_t{key} * (plan().states.size() - 1)]);
}

/// Offers row i to every instance that waits, and to the one that it may begin.
void StepSequence::offer(uint32_t key, uint32_t i) {
  Kept* kept = kept_of(key);
  uint64_t before = waiting_[key];
  uint64_t waiting = not_too_old(before, kept, in_hand().timestamp(i)) | bit(0);
  uint64_t moves = pass_correlated(waiting & marks_[i], kept, i);
  uint64_t last = bit(plan().states.size() - 1);
  if ((moves & last) != 0) emit(kept, key, i);
  uint64_t after = (moves & ~last) << 1;
  keep(before, after, kept, key, i);
  waiting_[key] = after;
}

uint64_t StepSequence::not_too_old(uint64_t waiting, const Kept* kept, int64_t time) const {
  if (!plan().within_ms) return waiting;
  for (uint64_t left = waiting; left != 0; left &= left - 1) {
    int step = __builtin_ctzll(left);
    int64_t began = kept[step - 1].timestamp;
    if (time_distance(began, time) > *plan().within_ms) waiting &= ~bit(static_cast<size_t>(step));
  }
  return waiting;
}

uint64_t StepSequence::pass_correlated(uint64_t moves, const Kept* kept, uint32_t i) {
  for (uint64_t left = moves & correlated_states_; left != 0; left &= left - 1) {
    auto step = static_cast<uint32_t>(__builtin_ctzll(left));
    auto append_one = [&](const PatternReference& reference, Column& to) {
      append(reference, step, kept, to);
    };
    if (!passes_correlated(plan().states[step], i, append_one)) moves &= ~bit(step);
  }
  return moves;
}

/// What the instance that waits at state `step` has of an event.
void StepSequence::append(const PatternReference& reference, uint32_t step, const Kept* kept,
                          Column& to) {
  bool taken = reference.state < step && reference.place == 0;
  append_reference(reference, taken, taken ? kept[step - 1 - reference.state].slot : 0, to);
}

void StepSequence::emit(const Kept* kept, uint32_t key, uint32_t i) {
  auto last = static_cast<uint32_t>(plan().states.size() - 1);
  for (size_t c = 0; c < plan().outputs.size(); ++c) {
    const PatternReference& reference = plan().references[plan().outputs[c]];
    Column& to = matches().column(c);
    if (reference.state == last) {
      append_reference(reference, reference.place == 0, in_hand::of_row(i), to);
    } else {
      append(reference, last, kept, to);
    }
  }
  matches().end_row(in_hand().timestamp(i), key, in_hand().cause(i));
  matches().note(true);
}

/// Row i becomes the latest of the events; those that no instance has taken are let go.
void StepSequence::keep(uint64_t before, uint64_t after, Kept* kept, uint32_t key, uint32_t i) {
  uint32_t had = events_of(before);
  uint32_t has = events_of(after);
  for (uint32_t j = has == 0 ? 0 : has - 1; j < had; ++j) let_go(kept[j]);
  if (has == 0) return;
  std::copy_backward(kept, kept + (has - 1), kept + has);
  kept[0] = {in_hand().timestamp(i), in_hand::of_row(i), static_cast<uint16_t>(input_in_hand()),
             is_on_time(i)};
  // An event that only instances took which are gone, or at states of which nothing is read.
  for (uint32_t j = 0; j < has; ++j) {
    if (((after >> (j + 1)) & stored_states_) == 0) let_go(kept[j]);
  }
  touched_.push_back(key);
}

void StepSequence::let_go(Kept& event) {
  if (event.slot != RowStore::kNoSlot && !in_hand::holds(event.slot)) {
    freed_.push_back({event.input, event.slot});
  }
  event.slot = RowStore::kNoSlot;
}

void StepSequence::settle() {
  for (const Freed& freed : freed_) store(freed.input).release(freed.slot);
  freed_.clear();
  for (uint32_t key : touched_) {
    Kept* kept = kept_of(key);
    for (uint32_t j = 0; j < events_of(waiting_[key]); ++j) {
      if (!in_hand::holds(kept[j].slot)) continue;
      kept[j].slot = store(kept[j].input).insert(in_hand(), in_hand::row_of(kept[j].slot));
    }
  }
  touched_.clear();
}

bool StepSequence::sweep(int64_t now) {
  bool left = false;
  int64_t limit = aged_before(now);
  for (uint32_t key = 0; key < waiting_.size(); ++key) {
    Kept* kept = kept_of(key);
    uint64_t before = waiting_[key];
    uint64_t after = before;
    for (uint64_t each = before; each != 0; each &= each - 1) {
      int step = __builtin_ctzll(each);
      const Kept& first = kept[step - 1];
      bool aged = first.on_time && first.timestamp < limit;
      if (aged) after &= ~bit(static_cast<size_t>(step));
      left = left || (!aged && first.on_time);
    }
    if (after == before) continue;
    context().counts().partial_matches_aged +=
        static_cast<uint64_t>(__builtin_popcountll(before) - __builtin_popcountll(after));
    for (uint32_t j = events_of(after); j < events_of(before); ++j) {
      if (kept[j].slot != RowStore::kNoSlot) store(kept[j].input).release(kept[j].slot);
      kept[j].slot = RowStore::kNoSlot;
    }
    waiting_[key] = after;
  }
  return left;
}

void StepSequence::add_counts(PlanCounts& counts) const {
  for (uint64_t waiting : waiting_) {
    counts.partial_matches += static_cast<uint64_t>(__builtin_popcountll(waiting));
  }
}

void StepSequence::drop_key(uint32_t key) {
  if (key >= waiting_.size()) return;
  Kept* kept = kept_of(key);
  for (uint32_t j = 0; j < events_of(waiting_[key]); ++j) {
    if (kept[j].slot != RowStore::kNoSlot) store(kept[j].input).release(kept[j].slot);
    kept[j].slot = RowStore::kNoSlot;
  }
  waiting_[key] = 0;
}

void StepSequence::archive_state(StateArchive& archive) {
  archive_stores(archive);
  archive(waiting_);
  kept_.resize(waiting_.size() * (plan().states.size() - 1));
  uint64_t known = bit(plan().states.size()) - 1;
  for (uint32_t key = 0; key < waiting_.size(); ++key) {
    if ((waiting_[key] & ~known) != 0) return archive.fail();
    Kept* kept = kept_of(key);
    for (uint32_t j = 0; j < events_of(waiting_[key]); ++j) {
      archive(kept[j]);
      bool has_slot = kept[j].slot != RowStore::kNoSlot;
      if (kept[j].input >= plan().inputs.size() ||
          (has_slot && !store(kept[j].input).has_slot(kept[j].slot))) {
        return archive.fail();
      }
    }
  }
}

size_t StepSequence::state_bytes() const {
  return waiting_.capacity() * sizeof(uint64_t) + kept_.capacity() * sizeof(Kept) + stores_bytes();
}

}  // namespace pollux
