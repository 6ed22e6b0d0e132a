// What of the math: namespace reads and writes numbers as texts.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"

namespace pollux {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string written(uint64_t value, uint64_t base) {
  std::string text;
  do {
    text.insert(text.begin(), kDigits[value % base]);
    value /= base;
  } while (value != 0);
  return text;
}

/// An int's or a long's bits, negative ones as of two's complement.
uint64_t bits_of(const RowArguments& in) {
  if (in.type(0) == AttributeType::kInt) return static_cast<uint32_t>(in.get<int32_t>(0));
  return static_cast<uint64_t>(in.get<int64_t>(0));
}

template <uint64_t kBase>
void put_written(const RowArguments& in, RowResult& out) {
  out.put_text(written(bits_of(in), kBase));
}

/// As Java's Double.toHexString: 0x1.8p1, subnormals with 0x0. and the least exponent.
std::string hex_of(double value, int fraction_digits, int least_exponent) {
  if (std::isnan(value)) return "NaN";
  std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "Infinity";
  double magnitude = std::fabs(value);
  if (magnitude == 0) return sign + "0x0.0p0";
  int exponent = std::ilogb(magnitude);
  bool subnormal = exponent < least_exponent;
  if (subnormal) exponent = least_exponent;
  double fraction = std::ldexp(magnitude, -exponent) - (subnormal ? 0 : 1);
  auto digits = static_cast<uint64_t>(std::ldexp(fraction, fraction_digits * 4));
  std::string hex = written(digits, 16);
  hex.insert(0, static_cast<size_t>(fraction_digits) - hex.size(), '0');
  while (hex.size() > 1 && hex.back() == '0') hex.pop_back();
  return sign + (subnormal ? "0x0." : "0x1.") + hex + "p" + std::to_string(exponent);
}

void put_hex(const RowArguments& in, RowResult& out) {
  if (in.type(0) == AttributeType::kFloat) return out.put_text(hex_of(in.get<float>(0), 6, -126));
  if (in.type(0) == AttributeType::kDouble) {
    return out.put_text(hex_of(in.get<double>(0), 13, -1022));
  }
  put_written<16>(in, out);
}

void put_converted(const RowArguments& in, RowResult& out) {
  int64_t from = in.integer(1);
  int64_t to = in.integer(2);
  if (from < 2 || from > 36 || to < 2 || to > 36) return;
  std::string_view text = in.text(0);
  int64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, static_cast<int>(from));
  if (error != std::errc() || end != text.data() + text.size()) return;
  auto magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  out.put_text((value < 0 ? "-" : "") + written(magnitude, static_cast<uint64_t>(to)));
}

template <class T>
void put_parsed(const RowArguments& in, RowResult& out) {
  std::string_view text = in.text(0);
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) out.put(value);
}

}  // namespace

std::vector<FunctionEntry> number_text_functions() {
  return {
      row_entry("math", "bin", "(<int|long> value) <string>",
                "The value's bits, negative ones in two's complement.", put_written<2>),
      row_entry("math", "conv", "(<string> digits, <int> from base, <int> to base) <string>",
                "A whole number written in one base as written in another; null where it is none.",
                put_converted),
      row_entry("math", "hex", "(<number> value) <string>",
                "The value in hexadecimal digits, a float or double as 0x1.8p1.", put_hex),
      row_entry("math", "oct", "(<int|long> value) <string>", "The value in octal digits.",
                put_written<8>),
      row_entry("math", "parseDouble", "(<string> text) <double>",
                "The text as a number; null where it is none.", put_parsed<double>),
      row_entry("math", "parseFloat", "(<string> text) <float>",
                "The text as a number; null where it is none.", put_parsed<float>),
      row_entry("math", "parseInt", "(<string> text) <int>",
                "The text as a number; null where it is none.", put_parsed<int32_t>),
      row_entry("math", "parseLong", "(<string> text) <long>",
                "The text as a number; null where it is none.", put_parsed<int64_t>),
  };
}

}  // namespace pollux
