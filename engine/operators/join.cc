#include "engine/operators/join.h"

#include <utility>

#include "engine/base/time_distance.h"

namespace pollux {
namespace {

template <class T>
void gather_rows(const Column& from, const std::vector<uint32_t>& rows, Column& to) {
  const T* values = from.data<T>();
  T* out = to.extend<T>(static_cast<uint32_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) out[i] = values[rows[i]];
}

void append_rows(const Column& from, const std::vector<uint32_t>& rows, Column& to) {
  switch (from.width()) {
    case 1:
      gather_rows<uint8_t>(from, rows, to);
      break;
    case 4:
      gather_rows<uint32_t>(from, rows, to);
      break;
    case 8:
      gather_rows<uint64_t>(from, rows, to);
      break;
    default:
      gather_rows<StringRef>(from, rows, to);
  }
  if (!from.has_nulls()) return;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (from.is_null(rows[i])) to.set_null(i);
  }
}

}  // namespace

JoinSide::JoinSide(JoinSidePlan plan, Searched& other, PendingResets& resets, Receiver& next)
    : plan_(std::move(plan)), other_(other), resets_(resets), next_(next), out_(plan_.joined) {}

void BothSides::receive(const Chunk& chunk) {
  if (gate_ != nullptr) gate_->close();
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    Chunk row = chunk.part(i, i + 1);
    row.chunk_ids = nullptr;
    row.output_ids = nullptr;
    left_.receive(row);
    right_.receive(row);
  }
  if (gate_ != nullptr) gate_->open();
}

void JoinSide::receive(const Chunk& chunk) {
  matches_.clear();
  other_.find(chunk, matches_);
  if (plan_.within_ms) drop_distant_matches(chunk);
  if (plan_.outer) add_outer_matches(chunk);
  hand_on(chunk);
}

void JoinSide::drop_distant_matches(const Chunk& chunk) {
  std::erase_if(matches_, [&](const Match& match) {
    int64_t held = other_.store().timestamp(match.slot);
    return time_distance(held, chunk.timestamp(match.row)) > *plan_.within_ms;
  });
}

void JoinSide::add_outer_matches(const Chunk& chunk) {
  with_outer_.clear();
  size_t m = 0;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (m == matches_.size() || matches_[m].row != i) with_outer_.push_back({i, RowStore::kNoSlot});
    while (m < matches_.size() && matches_[m].row == i) with_outer_.push_back(matches_[m++]);
  }
  matches_.swap(with_outer_);
}

void JoinSide::hand_on(const Chunk& chunk) {
  rows_.clear();
  slots_.clear();
  kinds_.clear();
  chunk_ids_.clear();
  output_ids_.clear();
  keys_.clear();
  causes_.clear();
  size_t m = 0;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    uint8_t kind = chunk.kind(i);
    uint8_t& reset = resets_.at(chunk.key(i));
    if ((kind & EventKind::kResetBefore) != 0) reset = 1;
    while ((kind & EventKind::kOnlyReset) != 0 && m < matches_.size() && matches_[m].row == i) ++m;
    for (; m < matches_.size() && matches_[m].row == i; ++m) {
      rows_.push_back(chunk.row(i));
      slots_.push_back(matches_[m].slot);
      uint8_t paired = kind & EventKind::kExpired;
      if (reset != 0) paired |= EventKind::kResetBefore;
      reset = 0;
      kinds_.push_back(paired);
      chunk_ids_.push_back(i);
      output_ids_.push_back(plan_.apart ? i : chunk.output_id(i));
      keys_.push_back(chunk.key(i));
      causes_.push_back(chunk.cause(i));
    }
    if ((kind & EventKind::kResetAfter) != 0) reset = 1;
  }
  if (rows_.empty()) return;
  out_.clear();
  for (size_t c = 0; c < plan_.own_needed.size(); ++c) {
    if (!plan_.own_needed[c]) continue;
    append_rows(chunk.batch->column(c), rows_, out_.column(plan_.own_offset + c));
  }
  auto count = static_cast<uint32_t>(slots_.size());
  for (size_t c = 0; c < plan_.other_needed.size(); ++c) {
    if (!plan_.other_needed[c]) continue;
    other_.store().gather_column(slots_.data(), count, c, out_.column(plan_.other_offset + c));
  }
  for (uint32_t row : rows_) out_.end_row(chunk.batch->timestamps()[row]);
  Chunk joined;
  joined.batch = &out_;
  joined.rows = count;
  joined.kinds = kinds_.data();
  joined.chunk_ids = chunk_ids_.data();
  joined.output_ids = output_ids_.data();
  joined.keys = chunk.keys != nullptr ? keys_.data() : nullptr;
  joined.causes = causes_.data();
  next_.receive(joined);
}

void JoinSide::drop_key(uint32_t key) { resets_.at(key) = 0; }

}  // namespace pollux
