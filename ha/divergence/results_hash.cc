#include "ha/divergence/results_hash.h"

#include <cstring>
#include <utility>
#include <vector>

#include "engine/base/hash.h"

namespace pollux {
namespace {

constexpr uint64_t kNull = 0x9e3779b97f4a7c15;

uint64_t joined(uint64_t hash, uint64_t value) {
  constexpr uint64_t kOdd = 0xff51afd7ed558ccd;
  hash = (hash ^ value) * kOdd;
  return hash ^ (hash >> 32);
}

uint64_t bits_of(const Column& column, uint32_t row) {
  switch (column.width()) {
    case 1:
      return column.data<uint8_t>()[row];
    case 4:
      return column.data<uint32_t>()[row];
    case 8:
      return column.data<uint64_t>()[row];
    default:
      return hash_of(column.data<StringRef>()[row]);
  }
}

/// Column by column, each row by itself.
void join_column(const Column& column, std::vector<uint64_t>& rows) {
  auto count = static_cast<uint32_t>(rows.size());
  for (uint32_t row = 0; row < count; ++row) rows[row] = joined(rows[row], bits_of(column, row));
  if (!column.has_nulls()) return;
  for (uint32_t row = 0; row < count; ++row) {
    if (column.is_null(row)) rows[row] = joined(rows[row], kNull ^ hash_of(column.stray(row)));
  }
}

}  // namespace

void ResultsHash::deployed() {
  hash_ = 0;
  seen_behind_ = {};
}

std::optional<std::pair<Position, uint64_t>> ResultsHash::reach(Position entry) {
  if (entry <= end_ || entry.value == 0) return std::nullopt;
  std::pair<Position, uint64_t> before{end_, std::exchange(hash_, 0)};
  end_.value = (entry.value - 1) / interval_ * interval_ + interval_;
  bool whole = before.first.value != 0 && seen_behind_.value + interval_ <= before.first.value;
  if (!whole) return std::nullopt;
  return before;
}

/// The order of rows stands in their ids, so their sum says it all.
void ResultsHash::add(const ResultBatch& results) {
  const EventBatch& batch = *results.batch;
  uint64_t cause = joined(
      joined(XXH3_64bits(results.stream.data(), results.stream.size()), results.cause.epoch.value),
      results.cause.position.value);
  thread_local std::vector<uint64_t> rows;  // most batches are small, and there are many
  rows.resize(batch.rows());
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    rows[row] = joined(joined(cause, results.ordinals[row]),
                       static_cast<uint64_t>(batch.timestamps()[row]));
  }
  for (size_t i = 0; i < batch.schema().attributes().size(); ++i) {
    join_column(batch.column(i), rows);
  }
  for (uint64_t row : rows) hash_ += mix_hash(row);
}

}  // namespace pollux
