#include "tests/oracle/value_ops.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace pollux::oracle {

namespace {

using Kind = ast::Expression::Kind;

// Shortest digits that read back as the same number, laid out as Double.toString does: plain
// between 10^-3 and 10^7, else with one digit before the point and an exponent.
template <class T>
std::string floating_text(T number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  if (number == 0) return std::signbit(number) ? "-0.0" : "0.0";
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  std::string sign;
  if (text[0] == '-') {
    sign = "-";
    text.erase(0, 1);
  }
  size_t e = text.find('e');
  std::string digits = text.substr(0, e);
  int exponent = std::stoi(text.substr(e + 1));
  if (size_t point = digits.find('.'); point != std::string::npos) digits.erase(point, 1);
  T magnitude = std::abs(number);
  if (magnitude >= T(1e-3) && magnitude < T(1e7)) {
    if (exponent < 0) {
      return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
    }
    auto before = static_cast<size_t>(exponent) + 1;
    if (digits.size() <= before) digits.append(before - digits.size() + 1, '0');
    return sign + digits.substr(0, before) + "." + digits.substr(before);
  }
  // Two digits at least, and of those the nearest: the smallest numbers have room for more.
  if (magnitude == std::numeric_limits<T>::denorm_min()) {
    digits = std::is_same_v<T, double> ? "49" : "14";
  }
  if (digits.size() == 1) digits += "0";
  return sign + digits.substr(0, 1) + "." + digits.substr(1) + "E" + std::to_string(exponent);
}

template <class T>
std::optional<T> parse_integer(const std::string& text) {
  std::string digits = text;
  if (!digits.empty() && digits[0] == '+') digits.erase(0, 1);
  if (digits.empty() || (text[0] == '+' && digits[0] == '-')) return std::nullopt;
  T number{};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

template <class T>
std::optional<T> parse_floating(std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.erase(0, 1);
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.erase(0, 1);
  }
  T number{};
  if (text == "NaN") {
    number = std::numeric_limits<T>::quiet_NaN();
  } else if (text == "Infinity") {
    number = std::numeric_limits<T>::infinity();
  } else {
    if (!text.empty() && std::string("fFdD").find(text.back()) != std::string::npos) {
      text.pop_back();
    }
    if (text.empty() || (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end != text.data() + text.size()) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
      // Too large is infinite, too small is zero: tell by the sign of the exponent.
      size_t e = text.find_first_of("eE");
      bool tiny = e != std::string::npos && e + 1 < text.size() && text[e + 1] == '-';
      number = tiny ? T(0) : std::numeric_limits<T>::infinity();
    } else if (error != std::errc{}) {
      return std::nullopt;
    }
  }
  return negative ? -number : number;
}

template <class T>
Value integral_arithmetic(Kind kind, T left, T right) {
  using U = std::make_unsigned_t<T>;
  switch (kind) {
    case Kind::kAdd:
      return static_cast<T>(static_cast<U>(left) + static_cast<U>(right));
    case Kind::kSubtract:
      return static_cast<T>(static_cast<U>(left) - static_cast<U>(right));
    case Kind::kMultiply:
      return static_cast<T>(static_cast<U>(left) * static_cast<U>(right));
    case Kind::kDivide:
      if (right == 0) return {};
      if (right == -1) return static_cast<T>(U(0) - static_cast<U>(left));
      return static_cast<T>(left / right);
    default:
      if (right == 0) return {};
      if (right == -1) return T(0);
      return static_cast<T>(left % right);
  }
}

template <class T>
Value floating_arithmetic(Kind kind, T left, T right) {
  switch (kind) {
    case Kind::kAdd:
      return left + right;
    case Kind::kSubtract:
      return left - right;
    case Kind::kMultiply:
      return left * right;
    case Kind::kDivide:
      if (right == 0) return {};
      return left / right;
    default:
      if (right == 0) return {};
      return static_cast<T>(std::fmod(left, right));
  }
}

float as_float(const Value& value) {
  if (auto* i = std::get_if<int32_t>(&value)) return static_cast<float>(*i);
  if (auto* l = std::get_if<int64_t>(&value)) return static_cast<float>(*l);
  if (auto* f = std::get_if<float>(&value)) return *f;
  return static_cast<float>(std::get<double>(value));
}

template <class T>
bool holds(Kind kind, const T& left, const T& right) {
  switch (kind) {
    case Kind::kGreater:
      return left > right;
    case Kind::kGreaterEqual:
      return left >= right;
    case Kind::kLess:
      return left < right;
    case Kind::kLessEqual:
      return left <= right;
    case Kind::kEqual:
      return left == right;
    default:
      return left != right;
  }
}

template <class T>
int java_order(T left, T right) {
  if (left < right) return -1;
  if (left > right) return 1;
  if constexpr (std::is_floating_point_v<T>) {
    // Float.compareTo: -0.0 before 0.0, NaN after everything.
    bool left_nan = std::isnan(left), right_nan = std::isnan(right);
    if (left_nan || right_nan) return static_cast<int>(left_nan) - static_cast<int>(right_nan);
    if (left == 0) {
      return static_cast<int>(std::signbit(right)) - static_cast<int>(std::signbit(left));
    }
  }
  return 0;
}

}  // namespace

std::string java_text(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(int32_t number) const { return std::to_string(number); }
    std::string operator()(int64_t number) const { return std::to_string(number); }
    std::string operator()(float number) const { return floating_text(number); }
    std::string operator()(double number) const { return floating_text(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const ObjectValue& object) const { return to_text(object); }
  };
  return std::visit(Visitor{}, value);
}

AttributeType arithmetic_type(AttributeType left, AttributeType right) {
  if (!is_numeric(left) || !is_numeric(right)) throw PlanError{"arithmetic needs numbers"};
  for (AttributeType type : {AttributeType::kDouble, AttributeType::kFloat, AttributeType::kLong}) {
    if (left == type || right == type) return type;
  }
  return AttributeType::kInt;
}

Value arithmetic(Kind kind, AttributeType result, const Value& left, const Value& right) {
  if (is_null(left) || is_null(right)) return {};
  switch (result) {
    case AttributeType::kDouble:
      return floating_arithmetic(kind, as_double(left), as_double(right));
    case AttributeType::kFloat:
      return floating_arithmetic(kind, as_float(left), as_float(right));
    case AttributeType::kLong:
      return integral_arithmetic(kind, as_long(left), as_long(right));
    default:
      return integral_arithmetic(kind, std::get<int32_t>(left), std::get<int32_t>(right));
  }
}

bool compare(Kind kind, const Value& left, const Value& right) {
  if (is_null(left) || is_null(right)) return kind == Kind::kNotEqual;
  if (std::holds_alternative<std::string>(left)) {
    return holds(kind, std::get<std::string>(left), std::get<std::string>(right));
  }
  if (std::holds_alternative<bool>(left)) {
    return holds(kind, std::get<bool>(left), std::get<bool>(right));
  }
  if (std::holds_alternative<double>(left) || std::holds_alternative<double>(right)) {
    return holds(kind, as_double(left), as_double(right));
  }
  if (std::holds_alternative<float>(left) || std::holds_alternative<float>(right)) {
    return holds(kind, as_float(left), as_float(right));
  }
  return holds(kind, as_long(left), as_long(right));
}

int order_of(const Value& left, const Value& right) {
  if (auto* text = std::get_if<std::string>(&left)) {
    return text->compare(std::get<std::string>(right));
  }
  if (auto* flag = std::get_if<bool>(&left)) {
    return static_cast<int>(*flag) - static_cast<int>(std::get<bool>(right));
  }
  if (auto* number = std::get_if<float>(&left)) return java_order(*number, std::get<float>(right));
  if (auto* number = std::get_if<double>(&left)) {
    return java_order(*number, std::get<double>(right));
  }
  return java_order(as_long(left), as_long(right));
}

double as_double(const Value& value) {
  if (auto* i = std::get_if<int32_t>(&value)) return *i;
  if (auto* l = std::get_if<int64_t>(&value)) return static_cast<double>(*l);
  if (auto* f = std::get_if<float>(&value)) return static_cast<double>(*f);
  return std::get<double>(value);
}

int64_t as_long(const Value& value) {
  if (auto* i = std::get_if<int32_t>(&value)) return *i;
  return std::get<int64_t>(value);
}

int32_t narrow_to_int(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 2147483647.0) return std::numeric_limits<int32_t>::max();
  if (value <= -2147483648.0) return std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(value);
}

int64_t narrow_to_long(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9223372036854775807.0) return std::numeric_limits<int64_t>::max();
  if (value <= -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

Value convert(const Value& value, AttributeType to) {
  if (is_null(value)) return {};
  if (to == AttributeType::kString) return java_text(value);
  const std::string* text = std::get_if<std::string>(&value);
  if (to == AttributeType::kBool) {
    if (text != nullptr) {
      std::string lower = *text;
      for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      return lower == "true";
    }
    if (std::holds_alternative<bool>(value)) return value;
    return as_double(value) == 1.0;
  }
  if (text != nullptr) {
    auto wrap = [](auto parsed) { return parsed ? Value(*parsed) : Value(); };
    switch (to) {
      case AttributeType::kInt:
        return wrap(parse_integer<int32_t>(*text));
      case AttributeType::kLong:
        return wrap(parse_integer<int64_t>(*text));
      case AttributeType::kFloat:
        return wrap(parse_floating<float>(*text));
      default:
        return wrap(parse_floating<double>(*text));
    }
  }
  Value number = value;
  if (auto* flag = std::get_if<bool>(&value)) number = *flag ? int32_t{1} : int32_t{0};
  bool integral =
      std::holds_alternative<int32_t>(number) || std::holds_alternative<int64_t>(number);
  switch (to) {
    case AttributeType::kInt:
      if (integral) return static_cast<int32_t>(static_cast<uint64_t>(as_long(number)));
      return narrow_to_int(as_double(number));
    case AttributeType::kLong:
      return integral ? as_long(number) : narrow_to_long(as_double(number));
    case AttributeType::kFloat:
      return as_float(number);
    default:
      return as_double(number);
  }
}

bool same_value(const Value& left, const Value& right) {
  if (left.index() != right.index()) return false;
  if (auto* number = std::get_if<double>(&left)) {
    double other = std::get<double>(right);
    if (std::isnan(*number) && std::isnan(other)) return true;
    return std::bit_cast<uint64_t>(*number) == std::bit_cast<uint64_t>(other);
  }
  if (auto* number = std::get_if<float>(&left)) {
    float other = std::get<float>(right);
    if (std::isnan(*number) && std::isnan(other)) return true;
    return std::bit_cast<uint32_t>(*number) == std::bit_cast<uint32_t>(other);
  }
  return left == right;
}

}  // namespace pollux::oracle
