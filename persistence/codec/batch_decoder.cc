#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/types/object_value.h"
#include "persistence/codec/batch_codec.h"
#include "persistence/codec/batch_layout.h"

namespace pollux {
namespace {

/// An array as it stands in the bytes, aligned or not.
template <class T>
class Array {
 public:
  Array() = default;
  Array(PayloadReader& reader, uint64_t count) : bytes_(reader.bytes(count * sizeof(T))) {
    reader.padding();
    if (reader.failed()) bytes_ = {};
  }
  size_t size() const { return bytes_.size() / sizeof(T); }
  T operator[](size_t index) const {
    T value;
    std::memcpy(&value, bytes_.data() + index * sizeof(T), sizeof(T));
    return value;
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

class BatchDecoder {
 public:
  BatchDecoder(PayloadReader& reader, EventBatch& batch, uint32_t rows)
      : reader_(reader), batch_(batch), rows_(rows) {}

  void decode() {
    Array<int64_t> timestamps(reader_, rows_);
    if (reader_.failed()) return;  // there are fewer bytes than `rows_` says
    batch_.mutable_timestamps().resize(rows_);
    copy(timestamps.bytes(), batch_.mutable_timestamps().data());
    for (size_t c = 0; c < batch_.schema().size() && !reader_.failed(); ++c) {
      take_column(batch_.column(c));
    }
  }

 private:
  static void copy(std::string_view from, void* to) {
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
  }

  void take_column(Column& column) {
    auto type = static_cast<AttributeType>(reader_.number<uint8_t>());
    auto flags = reader_.number<uint8_t>();
    auto zero = reader_.number<uint16_t>();
    auto strays = reader_.number<uint32_t>();
    if (type != column.type() || (flags & ~batch_layout::kHasNulls) != 0 || zero != 0) {
      return reader_.fail();
    }
    bool nulls = flags != 0;
    Array<uint64_t> words;
    if (nulls) words = Array<uint64_t>(reader_, (uint64_t{rows_} + 63) / 64);
    switch (column.width()) {
      case 1:
        take_values<uint8_t>(column);
        break;
      case 4:
        take_values<uint32_t>(column);
        break;
      case 8:
        take_values<uint64_t>(column);
        break;
      default:
        take_strings(column);
    }
    if (reader_.failed()) return;
    if (nulls) take_nulls(column, words);
    check_values(column);
    if (strays > 0) take_strays(column, strays);
  }

  template <class T>
  void take_values(Column& column) {
    Array<T> values(reader_, rows_);
    if (reader_.failed()) return;
    copy(values.bytes(), column.extend<T>(rows_));
  }

  /// The bytes of the texts whose lengths these are; the reader has failed when they are not there.
  std::string_view bytes_of(const Array<uint32_t>& lengths) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < lengths.size(); ++i) bytes += lengths[i];
    std::string_view texts = reader_.bytes(bytes);
    reader_.padding();
    return texts;
  }

  void take_strings(Column& column) {
    Array<uint32_t> lengths(reader_, rows_);
    std::string_view from = bytes_of(lengths);
    if (reader_.failed()) return;
    size_t long_bytes = 0;
    for (uint32_t row = 0; row < rows_; ++row) {
      if (lengths[row] > StringRef::kInlineBytesMax) long_bytes += lengths[row];
    }
    char* kept = long_bytes == 0 ? nullptr : batch_.arena().allocate(long_bytes);
    auto* to = column.extend<StringRef>(rows_);
    for (uint32_t row = 0; row < rows_; ++row) {
      std::string_view text = from.substr(0, lengths[row]);
      if (text.size() > StringRef::kInlineBytesMax) {
        std::memcpy(kept, text.data(), text.size());
        to[row] = long_text(text, kept);
        kept += text.size();
      } else if (from.size() >= StringRef::kInlineBytesMax) {
        to[row] = short_text(text);
      } else {
        to[row] = StringRef(text);
      }
      from.remove_prefix(text.size());
    }
  }

  /// A view of `text` at `kept`, to which it was just copied: reading it there would wait for that.
  static StringRef long_text(std::string_view text, const char* kept) {
    uint32_t prefix;
    std::memcpy(&prefix, text.data(), sizeof(prefix));
    return string_ref(text.size(), prefix, std::bit_cast<uint64_t>(kept));
  }

  /// StringRef(text) without a loop, where as many bytes as it holds inside can be read.
  static StringRef short_text(std::string_view text) {
    uint32_t prefix;
    uint64_t rest;
    std::memcpy(&prefix, text.data(), sizeof(prefix));
    std::memcpy(&rest, text.data() + sizeof(prefix), sizeof(rest));
    size_t size = text.size();
    if (size < 4) prefix &= (uint32_t{1} << (8 * size)) - 1;
    if (size < 12) rest = size <= 4 ? 0 : rest & ((uint64_t{1} << (8 * (size - 4))) - 1);
    return string_ref(size, prefix, rest);
  }

  static StringRef string_ref(size_t size, uint32_t prefix, uint64_t tail) {
    return std::bit_cast<StringRef>(
        std::array<uint64_t, 2>{size | static_cast<uint64_t>(prefix) << 32, tail});
  }

  void take_nulls(Column& column, const Array<uint64_t>& words) {
    uint32_t nulls = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      for (uint64_t word = words[i]; word != 0; word &= word - 1) {
        uint64_t row = i * 64 + static_cast<uint64_t>(std::countr_zero(word));
        if (row >= rows_) return reader_.fail();
        column.set_null(static_cast<uint32_t>(row));
        ++nulls;
      }
    }
    if (nulls == 0) reader_.fail();
  }

  /// Nulls are zero, bools 0 or 1, and objects are objects.
  void check_values(const Column& column) {
    size_t width = column.width();
    const char* values = column.data<char>();
    bool good = true;
    batch_layout::for_each_null(column, [&](uint32_t row) {
      const char* value = values + row * width;
      good = good && std::all_of(value, value + width, [](char byte) { return byte == 0; });
    });
    if (column.type() == AttributeType::kBool) {
      const auto* flags = column.data<uint8_t>();
      uint8_t all = 0;
      for (uint32_t row = 0; row < rows_; ++row) all = static_cast<uint8_t>(all | flags[row]);
      good = good && all <= 1;
    }
    if (column.type() == AttributeType::kObject) {
      const auto* objects = column.data<StringRef>();
      for (uint32_t row = 0; row < rows_ && good; ++row) {
        good = column.is_null(row) || is_object(objects[row].view());
      }
    }
    if (!good) reader_.fail();
  }

  void take_strays(Column& column, uint32_t count) {
    Array<uint32_t> rows(reader_, count);
    Array<uint32_t> lengths(reader_, count);
    std::string_view from = bytes_of(lengths);
    if (reader_.failed()) return;
    for (size_t i = 0; i < count; ++i) {
      std::string_view object = from.substr(0, lengths[i]);
      from.remove_prefix(object.size());
      bool rising = i == 0 || rows[i - 1] < rows[i];
      if (!rising || rows[i] >= rows_ || !column.is_null(rows[i]) || !is_object(object)) {
        return reader_.fail();
      }
      column.set_stray(rows[i], batch_.arena().store(object));
    }
  }

  PayloadReader& reader_;
  EventBatch& batch_;
  const uint32_t rows_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<EventBatch>> decode_batch(PayloadReader& reader,
                                                         const SchemaTable& schemas) {
  auto hash = reader.number<uint64_t>();
  auto rows = reader.number<uint32_t>();
  auto flags = reader.number<uint32_t>();
  absl::Status broken = absl::DataLossError("a batch that cannot be read");
  if (reader.failed() || (flags & ~batch_layout::kOneChunk) != 0) return broken;
  SchemaPtr schema = schemas.find(hash);
  if (schema == nullptr) {
    return absl::FailedPreconditionError("a batch of a schema that did not come before it");
  }
  auto batch = std::make_shared<EventBatch>(std::move(schema));
  batch->set_one_chunk(flags != 0);
  BatchDecoder(reader, *batch, rows).decode();
  if (reader.failed()) return broken;
  return batch;
}

}  // namespace pollux
