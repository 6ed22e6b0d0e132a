#include "engine/operators/table.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/number_order.h"

namespace pollux {

Table::Table(SchemaPtr schema, std::vector<size_t> primary_key, std::vector<size_t> indexed,
             StringPool& strings, TableRules rules)
    : rules_(rules),
      store_(schema, std::vector<bool>(schema->size(), true), strings),
      primary_key_(std::move(primary_key)),
      primary_(strings) {
  for (size_t column : indexed) {
    indexes_.push_back({column, std::make_unique<GroupTable>(strings), {}});
  }
}

StringRef Table::key_of(Slot slot, const std::vector<size_t>& columns) {
  EventBatch row(schema());
  std::vector<Vec> values;
  for (size_t column : columns) {
    store_.gather_column(&slot, 1, column, row.column(column));
    Vec vec;
    vec.type = row.column(column).type();
    vec.data = row.column(column).data<std::byte>();
    static constexpr uint8_t kNull = 1;
    if (row.column(column).is_null(0)) vec.nulls = &kNull;
    values.push_back(vec);
  }
  return *encoder_.encode(values, 1);
}

bool Table::insert(const Chunk& chunk, uint32_t i) {
  Slot slot = store_.insert(chunk, i);
  if (!primary_key_.empty()) {
    StringRef key = key_of(slot, primary_key_);
    uint32_t known = primary_.find(key, 0);
    if (known != GroupTable::kNone && rules_.replaces) {
      erase(primary_slots_[known]);
      key = key_of(slot, primary_key_);
    } else if (known != GroupTable::kNone) {
      store_.release(slot);
      return false;
    }
    uint32_t group = primary_.find_or_insert(key, 0);
    if (primary_slots_.size() <= group) primary_slots_.resize(group + 1, RowStore::kNoSlot);
    primary_slots_[group] = slot;
  }
  add_to_indexes(slot);
  if (place_of_.size() <= slot) place_of_.resize(slot + 1);
  place_of_[slot] = static_cast<uint32_t>(order_.size());
  order_.push_back(slot);
  note_change(slot);
  return true;
}

void Table::erase(Slot slot) {
  note_change(slot);
  remove_from_indexes(slot);
  if (!primary_key_.empty()) {
    primary_.release(primary_.find(key_of(slot, primary_key_), 0));
  }
  order_[place_of_[slot]] = RowStore::kNoSlot;
  ++erased_;
  store_.release(slot);
  if (erased_ * 2 <= order_.size()) return;
  std::erase(order_, RowStore::kNoSlot);
  for (uint32_t place = 0; place < order_.size(); ++place) place_of_[order_[place]] = place;
  erased_ = 0;
}

bool Table::changes_key(const std::vector<size_t>& columns) const {
  return std::any_of(columns.begin(), columns.end(), [this](size_t column) {
    return std::find(primary_key_.begin(), primary_key_.end(), column) != primary_key_.end();
  });
}

std::string Table::key_after(Slot slot, const std::vector<size_t>& columns,
                             const std::vector<Vec>& values, uint32_t row) const {
  static constexpr uint8_t kNull = 1;
  std::vector<Vec> key_values;
  EventBatch old(schema());
  for (size_t column : primary_key_) {
    auto set = std::find(columns.begin(), columns.end(), column);
    Vec vec;
    vec.type = (*schema())[column].type;
    if (set != columns.end()) {
      const Vec& from = values[static_cast<size_t>(set - columns.begin())];
      vec.data = from.as<std::byte>() + (from.constant ? 0 : size_t{row} * width_of(vec.type));
      if (from.is_null(row)) vec.nulls = &kNull;
    } else {
      store_.gather_column(&slot, 1, column, old.column(column));
      vec.data = old.column(column).data<std::byte>();
      if (old.column(column).is_null(0)) vec.nulls = &kNull;
    }
    key_values.push_back(vec);
  }
  KeyEncoder encoder;
  return std::string(encoder.encode(key_values, 1)->view());
}

bool Table::change_keys(const std::vector<Slot>& slots, const std::vector<std::string>& keys) {
  std::set<std::string_view> seen;
  const std::set<Slot> changing(slots.begin(), slots.end());
  for (const std::string& key : keys) {
    if (!seen.insert(key).second) return false;
    Slot holder = find_primary(StringRef(key));
    if (holder != RowStore::kNoSlot && changing.count(holder) == 0) return false;
  }
  for (Slot slot : slots) {
    note_change(slot);
    primary_.release(primary_.find(key_of(slot, primary_key_), 0));
  }
  for (size_t i = 0; i < slots.size(); ++i) {
    uint32_t group = primary_.find_or_insert(StringRef(keys[i]), 0);
    if (primary_slots_.size() <= group) primary_slots_.resize(group + 1, RowStore::kNoSlot);
    primary_slots_[group] = slots[i];
  }
  return true;
}

void Table::update(Slot slot, const std::vector<size_t>& columns, const std::vector<Vec>& values,
                   uint32_t row) {
  remove_from_indexes(slot);
  for (size_t c = 0; c < columns.size(); ++c) store_.set(slot, columns[c], values[c], row);
  add_to_indexes(slot);
  note_change(slot);
}

void Table::add_to_indexes(Slot slot) {
  for (Index& index : indexes_) {
    uint32_t group = index.keys->find_or_insert(key_of(slot, {index.column}), 0);
    if (index.rows.size() <= group) index.rows.resize(group + 1);
    index.rows[group].push_back(slot);
  }
}

void Table::remove_from_indexes(Slot slot) {
  for (Index& index : indexes_) {
    uint32_t group = index.keys->find(key_of(slot, {index.column}), 0);
    POLLUX_CHECK(group != GroupTable::kNone);
    std::erase(index.rows[group], slot);
    if (index.rows[group].empty()) index.keys->release(group);
  }
}

bool Table::is_indexed(size_t column) const {
  return std::any_of(indexes_.begin(), indexes_.end(),
                     [column](const Index& index) { return index.column == column; });
}

const std::vector<Slot>* Table::find_indexed(size_t column, const StringRef& key) const {
  for (const Index& index : indexes_) {
    if (index.column != column) continue;
    uint32_t group = index.keys->find(key, 0);
    return group == GroupTable::kNone ? nullptr : &index.rows[group];
  }
  return nullptr;
}

Slot Table::find_primary(const StringRef& key) const {
  uint32_t group = primary_.find(key, 0);
  return group == GroupTable::kNone ? RowStore::kNoSlot : primary_slots_[group];
}

void Table::all(std::vector<Slot>& slots) const {
  for (Slot slot : order_) {
    if (slot != RowStore::kNoSlot) slots.push_back(slot);
  }
  if (rules_.sorted) sort_by_key(slots);
}

/// Rows without a key stand last.
void Table::sort_by_key(std::vector<Slot>& slots) const {
  EventBatch keys(schema());
  Column& column = keys.column(primary_key_[0]);
  store_.gather_column(slots.data(), static_cast<uint32_t>(slots.size()), primary_key_[0], column);
  std::vector<uint32_t> places(slots.size());
  std::iota(places.begin(), places.end(), 0);
  auto sort_as = [&]<class T>(auto&& less, const T* values) {
    std::stable_sort(places.begin(), places.end(), [&](uint32_t a, uint32_t b) {
      if (column.is_null(a) || column.is_null(b)) return column.is_null(b) && !column.is_null(a);
      return less(values[a], values[b]);
    });
  };
  auto by_number = [](auto a, auto b) { return order_of_numbers(a, b) < 0; };
  switch (column.type()) {
    case AttributeType::kInt:
      sort_as(by_number, column.data<int32_t>());
      break;
    case AttributeType::kLong:
      sort_as(by_number, column.data<int64_t>());
      break;
    case AttributeType::kFloat:
      sort_as(by_number, column.data<float>());
      break;
    case AttributeType::kDouble:
      sort_as(by_number, column.data<double>());
      break;
    case AttributeType::kBool:
      sort_as(by_number, column.data<uint8_t>());
      break;
    case AttributeType::kString:
      sort_as([](const StringRef& a, const StringRef& b) { return a.view() < b.view(); },
              column.data<StringRef>());
      break;
    case AttributeType::kObject:
      return;
  }
  std::vector<Slot> sorted(slots.size());
  for (size_t i = 0; i < places.size(); ++i) sorted[i] = slots[places[i]];
  slots = std::move(sorted);
}

void Table::archive_state(StateArchive& archive) {
  archive(store_, primary_);
  archive.list(primary_slots_, [&](Slot& slot) { store_.archive_slot(archive, slot); });
  archive.list(order_, [&](Slot& slot) { store_.archive_slot(archive, slot); });
  archive(place_of_, erased_);
  for (uint32_t place = 0; place < order_.size(); ++place) {
    Slot slot = order_[place];
    if (slot == RowStore::kNoSlot) continue;
    if (slot >= place_of_.size() || place_of_[slot] != place) return archive.fail();
  }
  for (Index& index : indexes_) {
    archive(*index.keys);
    archive.list(index.rows, [&](std::vector<Slot>& rows) {
      archive.list(rows, [&](Slot& slot) { archive.index(slot, place_of_.size()); });
    });
    if (index.rows.size() < index.keys->capacity()) archive.fail();
  }
  if (!primary_key_.empty() && primary_slots_.size() < primary_.capacity()) archive.fail();
}

size_t Table::state_bytes() const {
  size_t bytes = store_.bytes() + primary_.bytes() + primary_slots_.capacity() * sizeof(Slot) +
                 (order_.capacity() + place_of_.capacity()) * sizeof(Slot);
  for (const Index& index : indexes_) {
    bytes += index.keys->bytes();
    for (const auto& rows : index.rows) bytes += rows.capacity() * sizeof(Slot);
  }
  return bytes;
}

}  // namespace pollux
