#include "storage/rocks/row_codec.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "storage/rocks/bytes.h"

namespace pollux::rocks {
namespace {

size_t varint_bytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

/// Writes into a row whose bytes are there already, which takes a fraction of appending each value.
class RowWriter {
 public:
  explicit RowWriter(char* at) : at_(at) {}

  char* at() const { return at_; }
  char* skip(size_t bytes) { return std::exchange(at_, at_ + bytes); }

  template <class T>
  void fixed(T value) {
    std::memcpy(skip(sizeof(T)), &value, sizeof(T));
  }

  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<char>(value | 0x80);
    *at_++ = static_cast<char>(value);
  }

  void value(const Column& column, uint32_t row) {
    switch (column.width()) {
      case 1:
        return fixed(column.data<uint8_t>()[row]);
      case 4:
        return fixed(column.data<uint32_t>()[row]);
      case 8:
        return fixed(column.data<uint64_t>()[row]);
      default:
        return text(column.data<StringRef>()[row].view());
    }
  }

 private:
  void text(std::string_view text) {
    varint(text.size());
    std::copy(text.begin(), text.end(), skip(text.size()));
  }

  char* at_;
};

void read_value(ByteReader& from, EventBatch& batch, size_t c) {
  Column& column = batch.column(c);
  switch (column.width()) {
    case 1:
      return column.append(static_cast<uint8_t>(from.fixed<uint8_t>() != 0));
    case 4:
      return column.append(from.fixed<uint32_t>());
    case 8:
      return column.append(from.fixed<uint64_t>());
    default:
      return batch.append_string(c, from.text());
  }
}

}  // namespace

void append_row_bytes(std::string& to, const EventBatch& batch, uint32_t row, int64_t time_ms) {
  POLLUX_CHECK(row < batch.rows());
  const size_t columns = batch.schema().size();
  const size_t before = to.size();
  to.resize(before + row_bytes(batch, row));
  RowWriter writer(to.data() + before);
  writer.fixed(kRowVersion);
  writer.fixed(time_ms);
  writer.varint(columns);
  char* const nulls = writer.skip((columns + 7) / 8);
  for (size_t c = 0; c < columns; ++c) {
    if (batch.column(c).is_null(row)) {
      nulls[c / 8] = static_cast<char>(nulls[c / 8] | (1 << (c % 8)));
    } else {
      writer.value(batch.column(c), row);
    }
  }
  POLLUX_CHECK(writer.at() == to.data() + to.size());
}

size_t row_bytes(const EventBatch& batch, uint32_t row) {
  const size_t columns = batch.schema().size();
  size_t bytes = 1 + 8 + varint_bytes(columns) + (columns + 7) / 8;
  for (size_t c = 0; c < columns; ++c) {
    const Column& column = batch.column(c);
    if (column.is_null(row)) continue;
    if (column.width() != sizeof(StringRef)) {
      bytes += column.width();
    } else {
      size_t size = column.data<StringRef>()[row].size();
      bytes += varint_bytes(size) + size;
    }
  }
  return bytes;
}

bool decode_row(std::string_view bytes, EventBatch& batch) {
  ByteReader from(bytes);
  if (from.fixed<uint8_t>() != kRowVersion) return false;
  auto time_ms = from.fixed<int64_t>();
  const uint64_t columns = from.varint();
  if (!from.ok() || columns > batch.schema().size()) return false;
  std::string_view nulls = from.take((columns + 7) / 8);
  if (!from.ok()) return false;
  for (size_t c = 0; c < batch.schema().size(); ++c) {
    const bool is_null = c >= columns || ((nulls[c / 8] >> (c % 8)) & 1) != 0;
    if (is_null) {
      batch.column(c).append_null();
    } else {
      read_value(from, batch, c);
    }
  }
  batch.end_row(time_ms);
  return from.complete();
}

bool decode_row_time(std::string_view bytes, int64_t& time_ms) {
  ByteReader from(bytes);
  const auto version = from.fixed<uint8_t>();
  time_ms = from.fixed<int64_t>();
  return from.ok() && version == kRowVersion;
}

}  // namespace pollux::rocks
