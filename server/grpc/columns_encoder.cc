// encode_columns(): values are copied as they stand, strings one behind the other.
#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/expression/json_object.h"
#include "pollux.pb.h"
#include "server/grpc/batch_codec.h"

namespace pollux {

namespace {

template <class T, class Values>
void copy_values(const Column& from, uint32_t begin, uint32_t rows, Values& values) {
  values.Reserve(static_cast<int>(rows));
  std::memcpy(values.AddNAlreadyReserved(static_cast<int>(rows)), from.data<T>() + begin,
              sizeof(T) * rows);
}

void encode_strings(const Column& from, uint32_t begin, uint32_t rows, v1::Strings& to) {
  const auto* views = from.data<StringRef>() + begin;
  to.mutable_ends()->Reserve(static_cast<int>(rows));
  uint32_t* ends = to.mutable_ends()->AddNAlreadyReserved(static_cast<int>(rows));
  uint64_t bytes = 0;
  for (uint32_t row = 0; row < rows; ++row) {
    bytes += views[row].size();
    ends[row] = static_cast<uint32_t>(bytes);
  }
  POLLUX_CHECK(bytes <= UINT32_MAX);
  std::string& text = *to.mutable_text();
  text.reserve(bytes);
  for (uint32_t row = 0; row < rows; ++row) text.append(views[row].data(), views[row].size());
}

/// Objects go as JSON.
void encode_objects(const Column& from, uint32_t begin, uint32_t rows, v1::Strings& to) {
  std::string& text = *to.mutable_text();
  for (uint32_t row = begin; row < begin + rows; ++row) {
    text += json_at(from, row).value_or("");
    to.add_ends(static_cast<uint32_t>(text.size()));
  }
}

void encode_nulls(const Column& from, uint32_t begin, uint32_t rows, std::string& nulls) {
  if (!from.has_nulls()) return;
  nulls.assign((static_cast<size_t>(rows) + 7) / 8, '\0');
  bool any = false;
  for (uint32_t row = 0; row < rows; ++row) {
    if (!from.is_null(begin + row)) continue;
    nulls[row >> 3] = static_cast<char>(nulls[row >> 3] | (1 << (row & 7)));
    any = true;
  }
  if (!any) nulls.clear();
}

void encode_column(const Column& from, uint32_t begin, uint32_t rows, v1::Column& to) {
  encode_nulls(from, begin, rows, *to.mutable_nulls());
  switch (from.type()) {
    case AttributeType::kString:
      return encode_strings(from, begin, rows, *to.mutable_strings());
    case AttributeType::kObject:
      return encode_objects(from, begin, rows, *to.mutable_strings());
    case AttributeType::kInt:
      return copy_values<int32_t>(from, begin, rows, *to.mutable_ints()->mutable_values());
    case AttributeType::kLong:
      return copy_values<int64_t>(from, begin, rows, *to.mutable_longs()->mutable_values());
    case AttributeType::kFloat:
      return copy_values<float>(from, begin, rows, *to.mutable_floats()->mutable_values());
    case AttributeType::kDouble:
      return copy_values<double>(from, begin, rows, *to.mutable_doubles()->mutable_values());
    case AttributeType::kBool:
      to.mutable_bools()->assign(reinterpret_cast<const char*>(from.data<uint8_t>()) + begin, rows);
      return;
  }
}

}  // namespace

void encode_columns(const EventBatch& batch, uint32_t begin, uint32_t end, v1::Columns& columns) {
  POLLUX_CHECK(begin < end && end <= batch.rows());
  uint32_t rows = end - begin;
  columns.set_rows(rows);
  auto& times = *columns.mutable_timestamps_ms();
  times.Reserve(static_cast<int>(rows));
  std::memcpy(times.AddNAlreadyReserved(static_cast<int>(rows)), batch.timestamps().data() + begin,
              sizeof(int64_t) * rows);
  for (size_t i = 0; i < batch.schema().size(); ++i) {
    v1::Column& column = *columns.add_columns();
    column.set_name(batch.schema()[i].name);
    encode_column(batch.column(i), begin, rows, column);
  }
}

uint32_t end_of_run(const EventBatch& batch, uint32_t begin, uint32_t rows_max, size_t bytes_max) {
  POLLUX_CHECK(begin < batch.rows() && rows_max > 0);
  size_t fixed_bytes = sizeof(int64_t);
  std::vector<const StringRef*> texts;
  for (size_t i = 0; i < batch.schema().size(); ++i) {
    const Column& column = batch.column(i);
    bool text = column.width() == sizeof(StringRef);
    fixed_bytes += text ? sizeof(uint32_t) : column.width();
    if (text) texts.push_back(column.data<StringRef>());
  }
  uint32_t last = begin + std::min(rows_max, batch.rows() - begin);
  size_t bytes = 0;
  for (uint32_t row = begin; row < last; ++row) {
    bytes += fixed_bytes;
    for (const StringRef* column : texts) bytes += column[row].size();
    if (bytes > bytes_max && row > begin) return row;
  }
  return last;
}

}  // namespace pollux
