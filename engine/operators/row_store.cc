#include "engine/operators/row_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "engine/types/object_value.h"

namespace pollux {

RowStore::RowStore(SchemaPtr schema, std::vector<bool> kept, StringPool& strings)
    : schema_(std::move(schema)), strings_(strings) {
  POLLUX_CHECK(kept.size() == schema_->size());
  for (size_t c = 0; c < schema_->size(); ++c) {
    AttributeType type = (*schema_)[c].type;
    columns_.push_back({type, width_of(type), kept[c], {}, {}});
  }
}

RowStore::~RowStore() = default;

Slot RowStore::take_slot() {
  ++live_;
  if (!free_.empty()) {
    Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }
  auto slot = static_cast<Slot>(times_.size());
  times_.push_back(0);
  for (StoredColumn& column : columns_) {
    if (!column.kept) continue;
    if (slot % kPageRows == 0) add_page(column);
    if (!column.nulls.empty()) column.nulls.push_back(0);
  }
  return slot;
}

void RowStore::add_page(StoredColumn& column) {
  column.pages.push_back(
      std::make_unique_for_overwrite<std::byte[]>(size_t{kPageRows} * column.width));
}

void RowStore::set_null(StoredColumn& column, Slot slot) {
  if (column.nulls.empty()) column.nulls.resize(times_.size(), 0);
  column.nulls[slot] = 1;
}

Slot RowStore::insert(const Chunk& chunk, uint32_t i) {
  Slot slot = take_slot();
  uint32_t row = chunk.row(i);
  times_[slot] = chunk.batch->timestamps()[row];
  for (size_t c = 0; c < columns_.size(); ++c) {
    StoredColumn& column = columns_[c];
    if (!column.kept) continue;
    const Column& from = chunk.batch->column(c);
    std::byte* to = place(column, slot);
    if (from.is_null(row)) {
      std::memset(to, 0, column.width);
      set_null(column, slot);
      continue;
    }
    if (!column.nulls.empty()) column.nulls[slot] = 0;
    switch (column.width) {
      case 1:
        std::memcpy(to, from.data<uint8_t>() + row, 1);
        break;
      case 4:
        std::memcpy(to, from.data<uint32_t>() + row, 4);
        break;
      case 8:
        std::memcpy(to, from.data<uint64_t>() + row, 8);
        break;
      default: {
        StringRef text = strings_.store(from.data<StringRef>()[row]);
        std::memcpy(to, &text, sizeof(text));
      }
    }
  }
  return slot;
}

Slot RowStore::insert_blank() {
  Slot slot = take_slot();
  for (StoredColumn& column : columns_) {
    if (!column.kept) continue;
    std::memset(place(column, slot), 0, column.width);
    set_null(column, slot);
  }
  return slot;
}

void RowStore::set(Slot slot, size_t index, const Vec& values, uint32_t row) {
  StoredColumn& column = columns_[index];
  POLLUX_CHECK(column.kept && width_of(values.type) == column.width);
  std::byte* to = place(column, slot);
  bool text = column.width == sizeof(StringRef);
  StringRef fresh;
  if (text && !values.is_null(row)) fresh = strings_.store(values.at<StringRef>(row));
  if (text) strings_.release(*reinterpret_cast<StringRef*>(to));
  if (values.is_null(row)) {
    std::memset(to, 0, column.width);
    return set_null(column, slot);
  }
  if (!column.nulls.empty()) column.nulls[slot] = 0;
  if (text) {
    std::memcpy(to, &fresh, sizeof(fresh));
  } else {
    const auto* from = values.as<std::byte>();
    std::memcpy(to, from + (values.constant ? 0 : size_t{row} * column.width), column.width);
  }
}

void RowStore::release(Slot slot) {
  POLLUX_CHECK(live_ > 0);
  for (StoredColumn& column : columns_) {
    if (!column.kept || column.width != sizeof(StringRef)) continue;
    auto* text = reinterpret_cast<StringRef*>(place(column, slot));
    strings_.release(*text);
    *text = StringRef();
  }
  free_.push_back(slot);
  --live_;
}

namespace {

template <class T>
int order_of(const std::byte* a, const std::byte* b) {
  T left;
  T right;
  std::memcpy(&left, a, sizeof(T));
  std::memcpy(&right, b, sizeof(T));
  return left < right ? -1 : right < left ? 1 : 0;
}

int order_of_texts(const std::byte* a, const std::byte* b) {
  return reinterpret_cast<const StringRef*>(a)->view().compare(
      reinterpret_cast<const StringRef*>(b)->view());
}

}  // namespace

int RowStore::compare(Slot a, Slot b, size_t index) const {
  const StoredColumn& column = columns_[index];
  POLLUX_CHECK(column.kept);
  auto is_null = [&](Slot slot) { return !column.nulls.empty() && column.nulls[slot] != 0; };
  if (is_null(a) || is_null(b)) return int{is_null(b)} - int{is_null(a)};
  switch (column.type) {
    case AttributeType::kInt:
      return order_of<int32_t>(place(column, a), place(column, b));
    case AttributeType::kLong:
      return order_of<int64_t>(place(column, a), place(column, b));
    case AttributeType::kFloat:
      return order_of<float>(place(column, a), place(column, b));
    case AttributeType::kDouble:
      return order_of<double>(place(column, a), place(column, b));
    case AttributeType::kBool:
      return order_of<uint8_t>(place(column, a), place(column, b));
    default:
      return order_of_texts(place(column, a), place(column, b));
  }
}

namespace {

template <class T, class F>
void gather_values(const Slot* slots, uint32_t rows, T* to, F place_of) {
  for (uint32_t i = 0; i < rows; ++i) {
    to[i] = slots[i] == RowStore::kNoSlot ? T() : *reinterpret_cast<const T*>(place_of(slots[i]));
  }
}

}  // namespace

void RowStore::gather_column(const Slot* slots, uint32_t rows, size_t index, Column& out) const {
  const StoredColumn& column = columns_[index];
  POLLUX_CHECK(column.kept);
  uint32_t first = out.size();
  auto place_of = [&](Slot slot) { return place(column, slot); };
  switch (column.width) {
    case 1:
      gather_values(slots, rows, out.extend<uint8_t>(rows), place_of);
      break;
    case 4:
      gather_values(slots, rows, out.extend<uint32_t>(rows), place_of);
      break;
    case 8:
      gather_values(slots, rows, out.extend<uint64_t>(rows), place_of);
      break;
    default:
      gather_values(slots, rows, out.extend<StringRef>(rows), place_of);
  }
  for (uint32_t i = 0; i < rows; ++i) {
    if (slots[i] == kNoSlot || (!column.nulls.empty() && column.nulls[slots[i]] != 0)) {
      out.set_null(first + i);
    }
  }
}

void RowStore::gather(const std::vector<Slot>& slots, EventBatch& out) const {
  auto rows = static_cast<uint32_t>(slots.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].kept) gather_column(slots.data(), rows, c, out.column(c));
  }
  for (Slot slot : slots) out.end_row(slot == kNoSlot ? 0 : times_[slot]);
}

void RowStore::archive(StateArchive& archive) {
  archive(times_, live_);
  auto slots = static_cast<uint32_t>(times_.size());
  archive.list(free_, [&](Slot& slot) { archive.index(slot, slots); });
  if (live_ != slots - free_.size()) archive.fail();
  for (StoredColumn& column : columns_) {
    if (column.kept) archive_column(archive, column, slots);
  }
}

void RowStore::archive_column(StateArchive& archive, StoredColumn& column, uint32_t slots) {
  bool has_nulls = !column.nulls.empty();
  archive(has_nulls);
  if (archive.loads()) {
    while (column.pages.size() * kPageRows < slots) add_page(column);
    column.nulls.assign(has_nulls ? slots : 0, 0);
  }
  if (has_nulls) archive.block(column.nulls.data(), slots);
  if (column.width == sizeof(StringRef)) {
    for (Slot slot = 0; slot < slots; ++slot) {
      auto* text = reinterpret_cast<StringRef*>(place(column, slot));
      if (archive.loads()) *text = StringRef();
      archive.text(*text, strings_);
      bool null = has_nulls && column.nulls[slot] != 0;
      bool object = column.type == AttributeType::kObject && !null && text->size() != 0;
      if (archive.loads() && object && !is_object(text->view())) archive.fail();
    }
    return;
  }
  for (Slot first = 0; first < slots; first += kPageRows) {
    uint32_t rows = std::min(kPageRows, slots - first);
    archive.block(place(column, first), size_t{rows} * column.width);
  }
}

size_t RowStore::bytes() const {
  size_t bytes = times_.capacity() * sizeof(int64_t) + free_.capacity() * sizeof(Slot);
  for (const StoredColumn& column : columns_) {
    bytes += column.pages.size() * size_t{kPageRows} * column.width + column.nulls.capacity();
  }
  return bytes;
}

}  // namespace pollux
