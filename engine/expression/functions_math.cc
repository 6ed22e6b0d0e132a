// The math: namespace. What has no result in the real numbers gives NaN or an infinity as IEEE 754
// has it, but for acos and asin outside of [-1, 1], which give null.
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>

#include "engine/expression/constant_arguments.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"

namespace pollux {
namespace {

using Real = double (*)(double);

template <Real kFunction>
void put_real(const RowArguments& in, RowResult& out) {
  out.put(kFunction(in.number(0)));
}

template <Real kFunction>
FunctionEntry real(std::string_view name, std::string_view doc) {
  return row_entry("math", name, "(<number> value) <double>", doc, put_real<kFunction>);
}

// Named here, so that the functions of <cmath> need no overload to be picked.
double absolute(double x) { return std::fabs(x); }
double arc_tangent(double x) { return std::atan(x); }
double cube_root(double x) { return std::cbrt(x); }
double ceiling(double x) { return std::ceil(x); }
double cosine(double x) { return std::cos(x); }
double hyperbolic_cosine(double x) { return std::cosh(x); }
double exponential(double x) { return std::exp(x); }
double floored(double x) { return std::floor(x); }
double natural_log(double x) { return std::log(x); }
double decimal_log(double x) { return std::log10(x); }
double binary_log(double x) { return std::log(x) / std::numbers::ln2; }
double sine(double x) { return std::sin(x); }
double hyperbolic_sine(double x) { return std::sinh(x); }
double square_root(double x) { return std::sqrt(x); }
double tangent(double x) { return std::tan(x); }
double hyperbolic_tangent(double x) { return std::tanh(x); }
double degrees(double x) { return x * (180.0 / std::numbers::pi); }
double radians(double x) { return x / 180.0 * std::numbers::pi; }

template <double (*kFunction)(double)>
void put_inverse(const RowArguments& in, RowResult& out) {
  double value = in.number(0);
  if (value >= -1 && value <= 1) out.put(kFunction(value));
}
double arc_cosine(double x) { return std::acos(x); }
double arc_sine(double x) { return std::asin(x); }

void put_arc_tangent(const RowArguments& in, RowResult& out) {
  out.put(in.size() == 1 ? arc_tangent(in.number(0)) : std::atan2(in.number(0), in.number(1)));
}

/// The nearest whole number, halves up; as Java's narrowing, NaN is 0 and beyond the range its end.
template <class T>
T rounded(double value) {
  double whole = std::floor(value + 0.5);
  if (std::isnan(whole)) return 0;
  if (whole >= static_cast<double>(std::numeric_limits<T>::max())) {
    return std::numeric_limits<T>::max();
  }
  if (whole <= static_cast<double>(std::numeric_limits<T>::min())) {
    return std::numeric_limits<T>::min();
  }
  return static_cast<T>(whole);
}

/// Of a float an int, of a double a long.
CallResult make_round(std::vector<ExpressionPtr> arguments) {
  if (arguments.size() == 1 && arguments[0]->type() == AttributeType::kFloat) {
    return call_by_signature(
        "(<float> value) <int>", std::move(arguments),
        [](const RowArguments& in, RowResult& out) { out.put(rounded<int32_t>(in.number(0))); },
        Nulls::kGiveNull);
  }
  return call_by_signature(
      "(<number> value) <long>", std::move(arguments),
      [](const RowArguments& in, RowResult& out) { out.put(rounded<int64_t>(in.number(0))); },
      Nulls::kGiveNull);
}

void put_exponent(const RowArguments& in, RowResult& out) {
  double value = in.number(0);
  bool narrow = in.type(0) == AttributeType::kFloat;
  int32_t least = narrow ? -127 : -1023;
  if (std::isnan(value) || std::isinf(value)) return out.put(-least + 1);
  int32_t exponent = value == 0 ? least : std::ilogb(value);
  out.put(exponent < least ? least : exponent);
}

void put_sign(const RowArguments& in, RowResult& out) {
  double value = in.number(0);
  out.put(static_cast<int32_t>(value > 0) - static_cast<int32_t>(value < 0));
}

uint64_t mixed(uint64_t seed, uint64_t more) {
  uint64_t z = seed ^ (more + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2));
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// Of equal rows at equal times it is equal, so that a replay gives the same.
void put_random(uint64_t seed, const RowArguments& in, RowResult& out) {
  uint64_t bits = mixed(mixed(seed, static_cast<uint64_t>(in.clock_ms())), in.row_hash());
  out.put(static_cast<double>(bits >> 11) * 0x1p-53);
}

/// A constant seed is no argument of the row function, which would be called once for all rows.
CallResult make_random(std::vector<ExpressionPtr> arguments) {
  auto checked = check_arguments("([<int|long> seed]) <double>", std::move(arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return *error;
  auto& fitting = std::get<std::vector<ExpressionPtr>>(checked);
  std::optional<int64_t> seed = fitting.empty() ? 0 : constant_integer(fitting[0]);
  if (seed) {
    fitting.clear();
    return make_row_function(AttributeType::kDouble, {},
                             [seed](const RowArguments& in, RowResult& out) {
                               put_random(static_cast<uint64_t>(*seed), in, out);
                             });
  }
  return make_row_function(AttributeType::kDouble, std::move(fitting),
                           [](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return;
                             put_random(static_cast<uint64_t>(in.integer(0)), in, out);
                           });
}

}  // namespace

std::vector<FunctionEntry> math_functions() {
  std::vector<FunctionEntry> all = {
      real<absolute>("abs", "The value without its sign."),
      row_entry("math", "acos", "(<number> value) <double>",
                "Arc cosine, in radians; null outside of -1 to 1.", put_inverse<arc_cosine>),
      row_entry("math", "asin", "(<number> value) <double>",
                "Arc sine, in radians; null outside of -1 to 1.", put_inverse<arc_sine>),
      row_entry("math", "atan", "(<number> y, [<number> x]) <double>",
                "Arc tangent, or the angle of the point (x, y); in radians.", put_arc_tangent),
      real<cube_root>("cbrt", "Cube root."),
      real<ceiling>("ceil", "The least whole number that is not below the value."),
      row_entry("math", "copySign", "(<number> value, <number> sign) <double>",
                "The first value with the sign of the second.",
                [](const RowArguments& in, RowResult& out) {
                  out.put(std::copysign(in.number(0), in.number(1)));
                }),
      real<cosine>("cos", "Cosine of an angle in radians."),
      real<hyperbolic_cosine>("cosh", "Hyperbolic cosine."),
      row_entry("math", "e", "() <double>", "Euler's number.",
                [](const RowArguments&, RowResult& out) { out.put(std::numbers::e); }),
      real<exponential>("exp", "Euler's number to the power of the value."),
      real<floored>("floor", "The greatest whole number that is not above the value."),
      row_entry("math", "getExponent", "(<number> value) <int>",
                "The binary exponent of a float or double.", put_exponent),
      row_entry("math", "isInfinite", "(<number> value) <bool>", "Is the value an infinity?",
                [](const RowArguments& in, RowResult& out) {
                  out.put(static_cast<uint8_t>(std::isinf(in.number(0))));
                }),
      row_entry("math", "isNan", "(<number> value) <bool>", "Is the value not a number?",
                [](const RowArguments& in, RowResult& out) {
                  out.put(static_cast<uint8_t>(std::isnan(in.number(0))));
                }),
      real<natural_log>("ln", "Natural logarithm."),
      row_entry("math", "log", "(<number> value, <number> base) <double>", "Logarithm to a base.",
                [](const RowArguments& in, RowResult& out) {
                  out.put(std::log(in.number(0)) / std::log(in.number(1)));
                }),
      real<decimal_log>("log10", "Logarithm to the base 10."),
      real<binary_log>("log2", "Logarithm to the base 2."),
      row_entry("math", "max", "(<number> value, <number> other) <double>", "The greater one.",
                [](const RowArguments& in, RowResult& out) {
                  double a = in.number(0);
                  double b = in.number(1);
                  out.put(std::isnan(a) || a > b ? a : b);
                }),
      row_entry("math", "min", "(<number> value, <number> other) <double>", "The lesser one.",
                [](const RowArguments& in, RowResult& out) {
                  double a = in.number(0);
                  double b = in.number(1);
                  out.put(std::isnan(a) || a < b ? a : b);
                }),
      row_entry("math", "pi", "() <double>", "The number pi.",
                [](const RowArguments&, RowResult& out) { out.put(std::numbers::pi); }),
      row_entry("math", "power", "(<number> value, <number> exponent) <double>",
                "The value to the power of the exponent.",
                [](const RowArguments& in, RowResult& out) {
                  out.put(std::pow(in.number(0), in.number(1)));
                }),
      {"math", "round", "(<float> value) <int>, (<number> value) <long>",
       "The nearest whole number, halves up.", make_round},
      row_entry("math", "signum", "(<number> value) <int>", "-1, 0 or 1 as the value's sign.",
                put_sign),
      real<sine>("sin", "Sine of an angle in radians."),
      real<hyperbolic_sine>("sinh", "Hyperbolic sine."),
      real<square_root>("sqrt", "Square root; NaN of negative values."),
      real<tangent>("tan", "Tangent of an angle in radians."),
      real<hyperbolic_tangent>("tanh", "Hyperbolic tangent."),
      real<degrees>("toDegrees", "An angle in radians as degrees."),
      real<radians>("toRadians", "An angle in degrees as radians."),
  };
  all.push_back({"math", "rand", "([<int|long> seed]) <double>",
                 "A number from 0 up to 1 that looks random, and is the same whenever the row is "
                 "replayed.",
                 make_random, true});
  return all;
}

}  // namespace pollux
