// A column of values on the way through an expression: typed data, and one byte a row for null.
//
// A Vec refers to memory that somebody else holds: a batch's column, or the buffer of the
// expression that made it (valid until that expression is evaluated again).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/types/attribute_type.h"
#include "engine/types/string_ref.h"

namespace pollux {

struct Vec {
  AttributeType type = AttributeType::kInt;
  bool constant = false;           ///< one value stands for all rows
  const void* data = nullptr;      ///< values; rows side by side, or one when constant
  const uint8_t* nulls = nullptr;  ///< 1 for null, like data; nullptr when no row is null
  /// Objects that stand in place of nulls (see Column), like data; nullptr when there are none.
  const StringRef* strays = nullptr;

  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  bool is_null(uint32_t row) const { return nulls != nullptr && nulls[constant ? 0 : row] != 0; }
  template <class T>
  const T& at(uint32_t row) const {
    return as<T>()[constant ? 0 : row];
  }
  StringRef stray(uint32_t row) const {
    return strays != nullptr ? strays[constant ? 0 : row] : StringRef();
  }
};

/// Memory for the results of one expression, reused from batch to batch.
class VecBuffer {
 public:
  template <class T>
  T* values(uint32_t rows) {
    size_t words = (static_cast<size_t>(rows) * sizeof(T) + 15) / 16;
    if (values_.size() < words) values_.resize(words);
    return reinterpret_cast<T*>(values_.data());
  }
  uint8_t* nulls(uint32_t rows) {
    if (nulls_.size() < rows) nulls_.resize(rows);
    return nulls_.data();
  }
  /// All empty.
  StringRef* strays(uint32_t rows) {
    strays_.assign(rows, StringRef());
    return strays_.data();
  }

 private:
  struct alignas(16) Word {
    uint64_t words[2];
  };
  std::vector<Word> values_;
  std::vector<uint8_t> nulls_;
  std::vector<StringRef> strays_;
};

}  // namespace pollux
