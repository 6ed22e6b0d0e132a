#include "engine/batch/event_batch.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/types/object_value.h"
#include "engine/types/value_type.h"

namespace pollux {

EventBatch::EventBatch(SchemaPtr schema) : schema_(std::move(schema)) {
  columns_.reserve(schema_->size());
  for (const Attribute& attribute : schema_->attributes()) columns_.emplace_back(attribute.type);
}

Value EventBatch::value(uint32_t row, size_t column) const {
  const Column& from = columns_[column];
  if (from.is_null(row)) return decode_object(from.stray(row).view());
  switch (from.type()) {
    case AttributeType::kString:
      return std::string(from.data<StringRef>()[row].view());
    case AttributeType::kObject:
      return decode_object(from.data<StringRef>()[row].view());
    case AttributeType::kInt:
      return from.data<int32_t>()[row];
    case AttributeType::kLong:
      return from.data<int64_t>()[row];
    case AttributeType::kFloat:
      return from.data<float>()[row];
    case AttributeType::kDouble:
      return from.data<double>()[row];
    case AttributeType::kBool:
      return from.data<uint8_t>()[row] != 0;
  }
  return {};
}

void EventBatch::append_value(size_t column, const Value& value) {
  Column& to = columns_[column];
  if (is_null(value)) return to.append_null();
  const auto* object = std::get_if<ObjectValue>(&value);
  POLLUX_CHECK(object == nullptr || is_object(object->bytes));
  if (!is_of_type(value, to.type())) {
    to.append_null();
    return to.set_stray(to.size() - 1, arena().store(encode_object(value)));
  }
  switch (to.type()) {
    case AttributeType::kString:
      return append_string(column, std::get<std::string>(value));
    case AttributeType::kObject:
      return append_string(column, encode_object(value));
    case AttributeType::kInt:
      return to.append(std::get<int32_t>(value));
    case AttributeType::kLong:
      return to.append(std::get<int64_t>(value));
    case AttributeType::kFloat:
      return to.append(std::get<float>(value));
    case AttributeType::kDouble:
      return to.append(std::get<double>(value));
    case AttributeType::kBool:
      return to.append(static_cast<uint8_t>(std::get<bool>(value)));
  }
}

void EventBatch::share_strings_of(const EventBatch& other) {
  auto add = [this](const std::shared_ptr<const Arena>& arena) {
    if (arena == nullptr) return;
    if (std::find(shared_arenas_.begin(), shared_arenas_.end(), arena) == shared_arenas_.end()) {
      shared_arenas_.push_back(arena);
    }
  };
  add(other.arena_);
  for (const auto& arena : other.shared_arenas_) add(arena);
}

void EventBatch::clear() {
  one_chunk_ = false;
  timestamps_.clear();
  for (Column& column : columns_) column.clear();
  shared_arenas_.clear();
  if (arena_ != nullptr) {
    if (arena_.use_count() == 1) {
      arena_->clear();
    } else {
      arena_.reset();
    }
  }
}

size_t EventBatch::bytes_held() const {
  size_t bytes = sizeof(*this) + timestamps_.capacity() * sizeof(int64_t);
  for (const Column& column : columns_) bytes += column.bytes_held();
  if (arena_ != nullptr) bytes += arena_->bytes_held();
  return bytes;
}

size_t EventBatch::bytes_shared() const {
  size_t bytes = 0;
  for (const auto& arena : shared_arenas_) bytes += arena->bytes_held();
  return bytes;
}

void own_strings(EventBatch& batch) {
  for (size_t c = 0; c < batch.schema().size(); ++c) {
    Column& column = batch.column(c);
    for (StringRef& stray : column.mutable_strays()) {
      if (!stray.is_inline()) stray = batch.arena().store(stray.view());
    }
    if (column.width() != sizeof(StringRef)) continue;
    auto* texts = column.mutable_data<StringRef>();
    for (uint32_t row = 0; row < column.size(); ++row) {
      if (!texts[row].is_inline()) texts[row] = batch.arena().store(texts[row].view());
    }
  }
}

void append_row(EventBatch& to, const EventBatch& from, uint32_t row) {
  for (size_t c = 0; c < from.schema().size(); ++c) {
    const Column& values = from.column(c);
    Column& column = to.column(c);
    if (values.is_null(row)) {
      column.append_null();
      if (values.stray(row).size() != 0) {
        column.set_stray(column.size() - 1, to.arena().store(values.stray(row).view()));
      }
      continue;
    }
    switch (values.width()) {
      case 1:
        column.append(values.data<uint8_t>()[row]);
        break;
      case 4:
        column.append(values.data<uint32_t>()[row]);
        break;
      case 8:
        column.append(values.data<uint64_t>()[row]);
        break;
      default:
        to.append_string(c, values.data<StringRef>()[row].view());
    }
  }
  to.end_row(from.timestamps()[row]);
}

void append_batch(EventBatch& to, const EventBatch& from) {
  for (uint32_t row = 0; row < from.rows(); ++row) append_row(to, from, row);
}

EventBatchPtr pick_columns(const EventBatch& batch, const SchemaPtr& schema,
                           std::span<const size_t> columns) {
  POLLUX_CHECK(columns.size() == schema->size());
  auto picked = std::make_shared<EventBatch>(schema);
  picked->set_one_chunk(batch.one_chunk());
  picked->share_strings_of(batch);
  for (size_t c = 0; c < columns.size(); ++c) {
    Column& to = picked->column(c);
    if (columns[c] == kNoColumn) {
      for (uint32_t row = 0; row < batch.rows(); ++row) to.append_null();
      continue;
    }
    POLLUX_CHECK(batch.column(columns[c]).type() == to.type());
    if (batch.rows() != 0) to.append_all(batch.column(columns[c]));
  }
  picked->mutable_timestamps() = batch.timestamps();
  return picked;
}

EventBatchPtr slice_copy(const EventBatch& batch, uint32_t begin, uint32_t end) {
  POLLUX_CHECK(begin <= end && end <= batch.rows());
  auto slice = std::make_shared<EventBatch>(batch.schema_ptr());
  slice->set_one_chunk(batch.one_chunk());
  for (uint32_t row = begin; row < end; ++row) append_row(*slice, batch, row);
  return slice;
}

}  // namespace pollux
