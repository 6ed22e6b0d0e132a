#include "storage/rocks/key_changes.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/key_codec.h"
#include "storage/rocks/row_codec.h"

namespace pollux::rocks {
namespace {

constexpr size_t kReadsAtOnce = 128;

std::string index_key(const TableLayout& layout, int64_t time_ms, std::string_view row_key) {
  return time_key(Kind::kTimeIndex, layout.table, time_ms).append(row_key.substr(kTimeOffset));
}

std::string doing(std::string_view verb, const TableLayout& layout) {
  return std::string(verb) + " table " + layout.definition.name;
}

}  // namespace

std::string key_of_row(const TableLayout& layout, const EventBatch& batch, uint32_t row) {
  std::string key = key_of(Kind::kRow, layout.table);
  for (size_t column : layout.key_columns) append_ordered(key, batch.column(column), row);
  return key;
}

void KeyChanges::put(std::string key, const EventBatch& batch, uint32_t row) {
  const size_t bytes = key.size() + row_bytes(batch, row);
  note(std::move(key), {&batch, row, bytes});
}

void KeyChanges::erase(std::string key) {
  const size_t bytes = key.size();
  note(std::move(key), {nullptr, 0, bytes});
}

void KeyChanges::note(std::string key, Change change) {
  Change& known = changes_[std::move(key)];
  bytes_ += change.bytes - known.bytes;
  known = change;
}

absl::Status KeyChanges::apply(const Database& database, const TableLayout& layout,
                               Transaction& transaction, Effect& effect) {
  std::vector<Keyed> ordered;
  ordered.reserve(changes_.size());
  for (const auto& change : changes_) ordered.push_back(&change);
  std::sort(ordered.begin(), ordered.end(), [](Keyed a, Keyed b) { return a->first < b->first; });
  for (size_t begin = 0; begin < ordered.size(); begin += kReadsAtOnce) {
    const size_t count = std::min(kReadsAtOnce, ordered.size() - begin);
    absl::Status applied =
        apply_some(std::span(ordered).subspan(begin, count), database, layout, transaction, effect);
    if (!applied.ok()) return applied;
  }
  changes_.clear();
  bytes_ = 0;
  return absl::OkStatus();
}

absl::Status KeyChanges::apply_some(std::span<const Keyed> some, const Database& database,
                                    const TableLayout& layout, Transaction& transaction,
                                    Effect& effect) {
  auto db = database.db();
  if (!db.ok()) return db.status();
  std::array<rocksdb::Slice, kReadsAtOnce> keys;
  std::array<rocksdb::PinnableSlice, kReadsAtOnce> stored;
  std::array<rocksdb::Status, kReadsAtOnce> got;
  for (size_t i = 0; i < some.size(); ++i) keys[i] = some[i]->first;
  constexpr bool kSorted = true;
  (*db)->MultiGet({}, (*db)->DefaultColumnFamily(), some.size(), keys.data(), stored.data(),
                  got.data(), kSorted);
  std::string value;
  for (size_t i = 0; i < some.size(); ++i) {
    const auto& [key, change] = *some[i];
    std::optional<int64_t> old_time;
    if (got[i].ok()) {
      if (!decode_row_time(stored[i].ToStringView(), old_time.emplace())) {
        return database.damaged("a row of " + layout.definition.name);
      }
    } else if (!got[i].IsNotFound()) {
      return database.error(got[i], doing("read", layout));
    }
    std::optional<int64_t> time;
    if (change.batch != nullptr) time = layout.time_of(*change.batch, change.row);
    if (old_time != time) {
      if (old_time) transaction.erase(index_key(layout, *old_time, key));
      if (time) transaction.put(index_key(layout, *time, key), "");
    }
    if (time) {
      value.clear();
      append_row_bytes(value, *change.batch, change.row, *time);
      transaction.put(key, value);
      effect.oldest_ms = std::min(effect.oldest_ms, *time);
    } else if (old_time) {
      transaction.erase(key);
    }
    effect.rows +=
        static_cast<int64_t>(time.has_value()) - static_cast<int64_t>(old_time.has_value());
  }
  return absl::OkStatus();
}

}  // namespace pollux::rocks
