// A 16-byte view of a string: length, four bytes of prefix, and either the rest (strings of up to
// twelve bytes stand inside) or a pointer to bytes that somebody else owns.
//
// Two views are mostly told apart by their first eight bytes alone. Unused bytes are zero, so equal
// short strings are equal as two 64-bit words.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace pollux {

class StringRef {
 public:
  static constexpr uint32_t kInlineBytesMax = 12;

  StringRef() : words_{0, 0} {}

  /// Refers to `text`; beyond kInlineBytesMax the bytes must outlive the view.
  explicit StringRef(std::string_view text) : words_{0, 0} {
    auto size = static_cast<uint32_t>(text.size());
    std::memcpy(bytes(), &size, 4);
    if (size <= kInlineBytesMax) {
      for (uint32_t i = 0; i < size; ++i) bytes()[4 + i] = text[i];
    } else {
      std::memcpy(bytes() + 4, text.data(), 4);
      const char* data = text.data();
      std::memcpy(bytes() + 8, &data, 8);
    }
  }

  uint32_t size() const { return static_cast<uint32_t>(words_[0]); }
  bool is_inline() const { return size() <= kInlineBytesMax; }
  const char* data() const {
    return is_inline() ? bytes() + 4 : reinterpret_cast<const char*>(words_[1]);
  }
  std::string_view view() const { return {data(), size()}; }

  uint64_t head() const { return words_[0]; }  ///< length and prefix
  uint64_t tail() const { return words_[1]; }  ///< the rest, or the pointer

  friend bool operator==(const StringRef& a, const StringRef& b) {
    if (a.words_[0] != b.words_[0]) return false;
    if (a.words_[1] == b.words_[1]) return true;
    return !a.is_inline() && std::memcmp(a.data(), b.data(), a.size()) == 0;
  }

 private:
  char* bytes() { return reinterpret_cast<char*>(words_); }
  const char* bytes() const { return reinterpret_cast<const char*>(words_); }

  uint64_t words_[2];
};

static_assert(sizeof(StringRef) == 16);

}  // namespace pollux
