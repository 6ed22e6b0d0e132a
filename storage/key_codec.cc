#include "storage/key_codec.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

namespace pollux {
namespace {

template <class Unsigned>
void append_big_endian(std::string& to, Unsigned value) {
  for (int shift = static_cast<int>(sizeof(Unsigned)) * 8 - 8; shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(value >> shift));
  }
}

template <class Unsigned, class Float>
void append_float(std::string& to, Float value) {
  static_assert(sizeof(Unsigned) == sizeof(Float));
  constexpr Unsigned kSign = Unsigned{1} << (sizeof(Unsigned) * 8 - 1);
  if (value == 0) value = 0;  // -0.0 too
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
  Unsigned bits;
  std::memcpy(&bits, &value, sizeof(bits));
  append_big_endian(to, (bits & kSign) != 0 ? static_cast<Unsigned>(~bits) : bits | kSign);
}

void append_text(std::string& to, std::string_view text) {
  for (size_t zero; (zero = text.find('\0')) != std::string_view::npos;) {
    to.append(text.substr(0, zero + 1));
    to.push_back('\xff');
    text.remove_prefix(zero + 1);
  }
  to.append(text);
  to.append("\x00\x01", 2);
}

}  // namespace

void append_ordered(std::string& to, uint32_t value) { append_big_endian(to, value); }
void append_ordered(std::string& to, uint64_t value) { append_big_endian(to, value); }
void append_ordered(std::string& to, int64_t value) {
  append_big_endian(to, static_cast<uint64_t>(value) ^ (uint64_t{1} << 63));
}

void append_ordered(std::string& to, const Column& column, uint32_t row) {
  if (column.is_null(row)) return to.push_back('\0');
  to.push_back('\x01');
  switch (column.type()) {
    case AttributeType::kBool:
      return to.push_back(column.data<uint8_t>()[row] != 0 ? '\x01' : '\0');
    case AttributeType::kInt:
      return append_big_endian(
          to, static_cast<uint32_t>(column.data<int32_t>()[row]) ^ (uint32_t{1} << 31));
    case AttributeType::kLong:
      return append_ordered(to, column.data<int64_t>()[row]);
    case AttributeType::kFloat:
      return append_float<uint32_t>(to, column.data<float>()[row]);
    case AttributeType::kDouble:
      return append_float<uint64_t>(to, column.data<double>()[row]);
    case AttributeType::kString:
    case AttributeType::kObject:
      return append_text(to, column.data<StringRef>()[row].view());
  }
}

int64_t read_ordered_i64(const char* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return static_cast<int64_t>(value ^ (uint64_t{1} << 63));
}

}  // namespace pollux
