// Reading and writing of little endian bytes. Reading believes nothing: beyond the end everything
// is zero and empty, and the reader has failed. Thread: one at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace pollux {

static_assert(std::endian::native == std::endian::little);

/// Arrays begin at multiples of it, counted from the begin of the payload.
constexpr size_t kAlignment = 8;

constexpr size_t padding_of(size_t bytes) { return (kAlignment - bytes % kAlignment) % kAlignment; }

/// Zeros up to the next multiple of kAlignment behind `begin`.
inline void pad_payload(std::string& out, size_t begin) {
  out.append(padding_of(out.size() - begin), '\0');
}

template <class T>
void put_scalar(std::string& out, T value) {
  static_assert(std::is_arithmetic_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// A u32 length and the bytes.
inline void put_sized_text(std::string& out, std::string_view text) {
  put_scalar(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

class PayloadReader {
 public:
  /// `bytes` must outlive the reader.
  explicit PayloadReader(std::string_view bytes) : left_(bytes), total_(bytes.size()) {}

  bool failed() const { return failed_; }
  size_t left() const { return left_.size(); }
  void fail() {
    failed_ = true;
    left_ = {};
  }

  std::string_view bytes(uint64_t count) {
    if (count > left_.size()) {
      fail();
      return {};
    }
    std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value{};
    std::string_view from = bytes(sizeof(T));
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }

  std::string_view text() { return bytes(number<uint32_t>()); }

  /// Zeros up to the next multiple of kAlignment.
  void padding() {
    if (failed_) return;
    for (char byte : bytes(padding_of(total_ - left_.size()))) {
      if (byte != 0) return fail();
    }
  }

  /// Nothing is left but padding; false as well when something failed before.
  bool finish() {
    padding();
    return !failed_ && left_.empty();
  }

 private:
  std::string_view left_;
  size_t total_;
  bool failed_ = false;
};

}  // namespace pollux
