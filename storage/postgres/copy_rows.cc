#include "storage/postgres/copy_rows.h"

#include <bit>
#include <cstring>

namespace pollux::postgres {
namespace {

template <class Number>
void put(std::string& to, Number number) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof(number)];
  std::memcpy(bytes, &number, sizeof(number));
  for (size_t i = sizeof(number); i-- > 0;) to += bytes[i];
}

template <class Number>
void put_value(std::string& to, Number number) {
  put(to, static_cast<int32_t>(sizeof(number)));
  put(to, number);
}

void put_column(std::string& to, const Column& column, uint32_t row) {
  if (column.is_null(row)) return put(to, int32_t{-1});
  switch (column.type()) {
    case AttributeType::kString: {
      std::string_view text = column.data<StringRef>()[row].view();
      put(to, static_cast<int32_t>(text.size()));
      to += text;
      return;
    }
    case AttributeType::kInt:
      return put_value(to, column.data<int32_t>()[row]);
    case AttributeType::kLong:
      return put_value(to, column.data<int64_t>()[row]);
    case AttributeType::kFloat:
      return put_value(to, column.data<float>()[row]);
    case AttributeType::kDouble:
      return put_value(to, column.data<double>()[row]);
    case AttributeType::kBool:
      return put_value(to, column.data<uint8_t>()[row]);
    case AttributeType::kObject:
      return put(to, int32_t{-1});
  }
}

}  // namespace

CopyRows::CopyRows() {
  bytes_.append("PGCOPY\n\xff\r\n\0", 11);
  put(bytes_, int32_t{0});  // flags
  put(bytes_, int32_t{0});  // bytes of a longer header
}

void CopyRows::add(const EventBatch& batch, uint32_t row, int64_t time_ms) {
  const size_t columns = batch.schema().size();
  put(bytes_, static_cast<int16_t>(columns + 1));
  for (size_t c = 0; c < columns; ++c) put_column(bytes_, batch.column(c), row);
  put_value(bytes_, time_ms);
}

void CopyRows::add_key(const EventBatch& batch, uint32_t row, const std::vector<size_t>& columns) {
  put(bytes_, static_cast<int16_t>(columns.size()));
  for (size_t c : columns) put_column(bytes_, batch.column(c), row);
}

std::string_view CopyRows::finish() {
  put(bytes_, int16_t{-1});
  return bytes_;
}

}  // namespace pollux::postgres
