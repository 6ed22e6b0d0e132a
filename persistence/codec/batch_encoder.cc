#include <algorithm>
#include <cstring>

#include "persistence/codec/batch_codec.h"
#include "persistence/codec/batch_layout.h"

namespace pollux {
namespace {

class BatchEncoder {
 public:
  BatchEncoder(size_t payload_begin, std::string& out) : begin_(payload_begin), out_(out) {}

  void encode(const EventBatch& batch, uint64_t schema_hash) {
    put_scalar(out_, schema_hash);
    put_scalar(out_, batch.rows());
    put_scalar(out_, batch.one_chunk() ? batch_layout::kOneChunk : uint32_t{0});
    put_array(batch.timestamps().data(), batch.rows());
    for (size_t c = 0; c < batch.schema().size(); ++c) put_column(batch.column(c));
  }

 private:
  template <class T>
  void put_array(const T* values, size_t count) {
    out_.append(reinterpret_cast<const char*>(values), count * sizeof(T));
    pad_payload(out_, begin_);
  }

  void put_column(const Column& column) {
    const std::vector<uint64_t>& words = column.null_words();
    bool nulls = std::any_of(words.begin(), words.end(), [](uint64_t word) { return word != 0; });
    find_strays(column);
    put_scalar(out_, static_cast<uint8_t>(column.type()));
    put_scalar(out_, nulls ? batch_layout::kHasNulls : uint8_t{0});
    put_scalar(out_, uint16_t{0});
    put_scalar(out_, static_cast<uint32_t>(stray_rows_.size()));
    if (nulls) put_array(words.data(), words.size());
    if (column.width() == sizeof(StringRef)) {
      put_strings(column, nulls);
    } else {
      put_values(column, nulls);
    }
    if (!stray_rows_.empty()) put_strays(column);
  }

  void put_values(const Column& column, bool nulls) {
    size_t begin = out_.size();
    size_t width = column.width();
    put_array(column.data<char>(), column.size() * width);
    if (!nulls) return;
    batch_layout::for_each_null(
        column, [&](uint32_t row) { std::memset(out_.data() + begin + row * width, 0, width); });
  }

  void put_strings(const Column& column, bool nulls) {
    const auto* texts = column.data<StringRef>();
    lengths_.resize(column.size());
    for (uint32_t row = 0; row < column.size(); ++row) lengths_[row] = texts[row].size();
    if (nulls) batch_layout::for_each_null(column, [&](uint32_t row) { lengths_[row] = 0; });
    size_t bytes = 0;
    for (uint32_t length : lengths_) bytes += length;
    put_array(lengths_.data(), lengths_.size());
    size_t at = out_.size();
    // Short texts are copied whole: what is too much is written over by the next, or cut off.
    out_.resize(at + bytes + StringRef::kInlineBytesMax);
    char* to = out_.data() + at;
    for (uint32_t row = 0; row < column.size(); ++row) {
      if (texts[row].is_inline()) {
        std::memcpy(to, texts[row].data(), StringRef::kInlineBytesMax);
      } else {
        std::memcpy(to, texts[row].data(), lengths_[row]);
      }
      to += lengths_[row];
    }
    out_.resize(at + bytes);
    pad_payload(out_, begin_);
  }

  void find_strays(const Column& column) {
    stray_rows_.clear();
    if (!column.has_strays()) return;
    for (uint32_t row = 0; row < column.size(); ++row) {
      if (column.is_null(row) && column.stray(row).size() != 0) stray_rows_.push_back(row);
    }
  }

  void put_strays(const Column& column) {
    put_array(stray_rows_.data(), stray_rows_.size());
    lengths_.clear();
    for (uint32_t row : stray_rows_) lengths_.push_back(column.stray(row).size());
    put_array(lengths_.data(), lengths_.size());
    for (uint32_t row : stray_rows_) out_.append(column.stray(row).view());
    pad_payload(out_, begin_);
  }

  const size_t begin_;
  std::string& out_;
  std::vector<uint32_t> lengths_;
  std::vector<uint32_t> stray_rows_;
};

}  // namespace

void encode_batch(const EventBatch& batch, uint64_t schema_hash, size_t payload_begin,
                  std::string& out) {
  BatchEncoder(payload_begin, out).encode(batch, schema_hash);
}

}  // namespace pollux
