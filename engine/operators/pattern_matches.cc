#include "engine/operators/pattern_matches.h"

#include <utility>

namespace pollux {

void PatternMatches::end_row(int64_t timestamp, uint32_t key, uint32_t cause) {
  rows_.end_row(timestamp);
  keys_.push_back(key);
  causes_.push_back(cause);
}

void PatternMatches::note(bool together) {
  uint32_t id = output_ids_.empty() ? 0 : output_ids_.back() + 1;
  while (output_ids_.size() < rows_.rows()) output_ids_.push_back(together ? id : id++);
}

bool PatternMatches::apart(uint32_t first) const {
  return rows_.rows() > first + 1 && output_ids_[first] != output_ids_.back();
}

Chunk PatternMatches::chunk() const {
  Chunk chunk;
  chunk.batch = &rows_;
  chunk.rows = rows_.rows();
  chunk.output_ids = output_ids_.data();
  chunk.keys = keys_.data();
  chunk.causes = causes_.data();
  return chunk;
}

void PatternMatches::hand_on() {
  if (empty()) return;
  next_.receive(chunk());
  clear();
}

void PatternMatches::hand_on_one_by_one() {
  hand_on_one_by_one(chunk());
  clear();
}

PatternMatches::Held PatternMatches::take() {
  Held held{std::exchange(rows_, EventBatch(rows_.schema_ptr())), std::exchange(output_ids_, {}),
            std::exchange(keys_, {}), std::exchange(causes_, {})};
  own_strings(held.batch);
  return held;
}

void PatternMatches::hand_on_one_by_one(const Held& held) {
  Chunk all;
  all.batch = &held.batch;
  all.rows = held.batch.rows();
  all.output_ids = held.output_ids.data();
  all.keys = held.keys.data();
  all.causes = held.causes.data();
  hand_on_one_by_one(all);
}

void PatternMatches::hand_on_one_by_one(const Chunk& matches) {
  for (uint32_t begin = 0, end = 0; begin < matches.rows; begin = end) {
    ++end;
    while (end < matches.rows && matches.output_ids[end] == matches.output_ids[begin]) ++end;
    next_.receive(matches.part(begin, end));
  }
}

void PatternMatches::clear() {
  rows_.clear();
  output_ids_.clear();
  keys_.clear();
  causes_.clear();
}

}  // namespace pollux
