// One typed vector of an EventBatch: values side by side, and a bitmap of nulls that exists only
// once a null was put in.
//
// A null row still takes its place among the values, as zero bytes. Bools are one byte, 0 or 1.
// Where a value of another type came in place of one (a cast lets it pass), the row is null, and
// the value stands beside it as a stray object: seen by whoever shows the row, and by nobody else.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/batch/buffer.h"
#include "engine/types/attribute_type.h"
#include "engine/types/string_ref.h"

namespace pollux {

class Column {
 public:
  explicit Column(AttributeType type) : type_(type), width_(width_of(type)) {}

  AttributeType type() const { return type_; }
  uint32_t size() const { return size_; }
  uint32_t width() const { return width_; }

  /// The values; T must be of the type's width (uint8_t, int32_t, int64_t, float, double,
  /// StringRef).
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(data_.data());
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(data_.data());
  }

  bool has_nulls() const { return !nulls_.empty(); }
  bool is_null(uint32_t row) const {
    return !nulls_.empty() && ((nulls_[row >> 6] >> (row & 63)) & 1) != 0;
  }
  /// One bit a row, set for null; (size + 63) / 64 words. Empty when no row is null.
  const std::vector<uint64_t>& null_words() const { return nulls_; }

  template <class T>
  void append(T value) {
    data_.reserve((static_cast<size_t>(size_) + 1) * sizeof(T));
    reinterpret_cast<T*>(data_.data())[size_] = value;
    grow_nulls(1);
    ++size_;
  }

  void append_null() {
    data_.reserve((static_cast<size_t>(size_) + 1) * width_);
    std::memset(data_.data() + static_cast<size_t>(size_) * width_, 0, width_);
    ++size_;
    set_null(size_ - 1);
  }

  /// Makes room for `rows` more values and returns where the first goes; the caller fills them.
  template <class T>
  T* extend(uint32_t rows) {
    uint32_t old = size_;
    data_.reserve((static_cast<size_t>(size_) + rows) * sizeof(T));
    grow_nulls(rows);
    size_ += rows;
    return reinterpret_cast<T*>(data_.data()) + old;
  }

  /// Appends the values of another column of the type; strings' bytes stay where they are, and
  /// strays are left out.
  void append_all(const Column& other) {
    data_.reserve((static_cast<size_t>(size_) + other.size_) * width_);
    std::memcpy(data_.data() + static_cast<size_t>(size_) * width_, other.data_.data(),
                static_cast<size_t>(other.size_) * width_);
    const uint32_t old = size_;
    grow_nulls(other.size_);
    size_ += other.size_;
    for (uint32_t row = 0; other.has_nulls() && row < other.size_; ++row) {
      if (other.is_null(row)) set_null(old + row);
    }
  }

  /// Marks a row that is already there as null.
  void set_null(uint32_t row) {
    nulls_.resize((static_cast<size_t>(size_) + 63) / 64, 0);
    nulls_[row >> 6] |= uint64_t{1} << (row & 63);
  }

  bool has_strays() const { return !strays_.empty(); }
  /// The stray object in a row that is null; an empty view where there is none.
  StringRef stray(uint32_t row) const { return row < strays_.size() ? strays_[row] : StringRef(); }
  /// Puts a stray beside a row that is null; its bytes live where those of strings do.
  void set_stray(uint32_t row, StringRef object) {
    if (strays_.size() <= row) strays_.resize(size_t{row} + 1);
    strays_[row] = object;
  }
  std::vector<StringRef>& mutable_strays() { return strays_; }

  void clear() {
    size_ = 0;
    nulls_.clear();
    strays_.clear();
  }

  size_t bytes_held() const {
    return data_.capacity() + nulls_.capacity() * 8 + strays_.capacity() * sizeof(StringRef);
  }

 private:
  void grow_nulls(uint32_t rows) {
    if (!nulls_.empty()) nulls_.resize((static_cast<size_t>(size_) + rows + 63) / 64, 0);
  }

  AttributeType type_;
  uint32_t width_;
  uint32_t size_ = 0;
  Buffer data_;
  std::vector<uint64_t> nulls_;
  std::vector<StringRef> strays_;  ///< shorter than the column where no stray follows
};

}  // namespace pollux
