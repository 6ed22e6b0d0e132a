#include "engine/base/number_text.h"

#include <charconv>
#include <cmath>

namespace pollux {
namespace {

template <class T>
std::string write(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  T magnitude = std::fabs(value);
  bool plain = magnitude >= T(1e-3) && magnitude < T(1e7);
  char buffer[64];
  auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value, format).ptr);
  if (plain) return text.find('.') == std::string::npos ? text + ".0" : text;
  size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  std::string exponent = text.substr(e + 1);
  if (mantissa.find('.') == std::string::npos) {
    // Two digits are written at least, so they are the nearest two: 4.9E-324, not 5.0E-324.
    text.assign(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value, format, 1).ptr);
    mantissa = text.substr(0, text.find('e'));
  }
  bool negative = exponent[0] == '-';
  size_t first = exponent.find_first_not_of("+-0");
  return mantissa + "E" + (negative ? "-" : "") + exponent.substr(first);
}

}  // namespace

std::string number_text(double value) { return write(value); }
std::string number_text(float value) { return write(value); }

}  // namespace pollux
