// The scalar functions of SiddhiQL that the oracle knows.
#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "tests/oracle/expression.h"

namespace pollux::oracle {

namespace {

using Values = std::vector<Value>;

std::optional<AttributeType> constant_type(const Call& call, size_t index) {
  if (index >= call.expression->arguments.size()) return std::nullopt;
  Value value = constant_value(*call.expression->arguments[index]);
  const std::string* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::nullopt : attribute_type_from(*text);
}

void require(bool condition, const Call& call) {
  if (!condition) throw PlanError{"wrong arguments of " + call.expression->name};
}

bool all_of_one_type(const Call& call) {
  return !call.types.empty() &&
         std::all_of(call.types.begin(), call.types.end(),
                     [&](AttributeType type) { return type == call.types[0]; });
}

// Nulls are left out; of nothing else it is null.
Scalar extremum(const Call& call, AttributeType& type, bool maximum) {
  require(all_of_one_type(call) && is_numeric(call.types[0]), call);
  type = call.types[0];
  bool whole = type == AttributeType::kInt || type == AttributeType::kLong;
  return [maximum, whole, type](const Values& values, const EvalContext&) -> Value {
    auto less = [whole](const Value& a, const Value& b) {
      return whole ? as_long(a) < as_long(b) : as_double(a) < as_double(b);
    };
    Value best;
    for (const Value& value : values) {
      if (is_null(value)) continue;
      if (is_null(best) || (maximum ? less(best, value) : less(value, best))) best = value;
    }
    return convert(best, type);
  };
}

struct CivilTime {
  int64_t year;
  unsigned month, day, hour, minute, second, millisecond;
};

// Days since 1970 to a date, after the era arithmetic of the proleptic Gregorian calendar.
CivilTime civil_time(int64_t ms) {
  int64_t days = ms / 86400000;
  int64_t rest = ms % 86400000;
  if (rest < 0) {
    rest += 86400000;
    --days;
  }
  CivilTime time{};
  time.millisecond = static_cast<unsigned>(rest % 1000);
  time.second = static_cast<unsigned>(rest / 1000 % 60);
  time.minute = static_cast<unsigned>(rest / 60000 % 60);
  time.hour = static_cast<unsigned>(rest / 3600000);
  auto is_leap = [](int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; };
  int64_t year = 1970;
  while (days < 0) days += is_leap(--year) ? 366 : 365;
  while (days >= (is_leap(year) ? 366 : 365)) days -= is_leap(year++) ? 366 : 365;
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  unsigned month = 0;
  while (days >= kDays[month] + (month == 1 && is_leap(year) ? 1 : 0)) {
    days -= kDays[month] + (month == 1 && is_leap(year) ? 1 : 0);
    ++month;
  }
  time.year = year;
  time.month = month + 1;
  time.day = static_cast<unsigned>(days) + 1;
  return time;
}

Scalar time_extract(const Call& call, AttributeType& type) {
  require(call.types.size() == 2 && call.types[0] == AttributeType::kLong &&
              call.types[1] == AttributeType::kString,
          call);
  type = AttributeType::kInt;
  Value unit_value = constant_value(*call.expression->arguments[1]);
  std::string unit = lower_case(std::get<std::string>(unit_value));
  static constexpr std::array<const char*, 6> kUnits = {"year", "month",  "day",
                                                        "hour", "minute", "second"};
  auto found = std::find(kUnits.begin(), kUnits.end(), unit);
  require(found != kUnits.end(), call);
  auto index = static_cast<size_t>(found - kUnits.begin());
  return [index](const Values& values, const EvalContext&) -> Value {
    if (is_null(values[0])) return {};
    CivilTime time = civil_time(as_long(values[0]));
    std::array<int64_t, 6> parts = {time.year, time.month,  time.day,
                                    time.hour, time.minute, time.second};
    return static_cast<int32_t>(parts[index]);
  };
}

std::string padded(int64_t number, size_t width) {
  std::string text = std::to_string(number);
  return text.size() >= width ? text : std::string(width - text.size(), '0') + text;
}

Scalar date_format(const Call& call, AttributeType& type) {
  require(call.types.size() == 2 && call.types[0] == AttributeType::kLong &&
              call.types[1] == AttributeType::kString,
          call);
  type = AttributeType::kString;
  return [](const Values& values, const EvalContext&) -> Value {
    if (is_null(values[0]) || is_null(values[1])) return {};
    CivilTime time = civil_time(as_long(values[0]));
    const auto& format = std::get<std::string>(values[1]);
    std::string text;
    for (size_t i = 0; i < format.size();) {
      size_t run = 1;
      while (i + run < format.size() && format[i + run] == format[i]) ++run;
      switch (format[i]) {
        case 'y':
          text += run == 2 ? padded(time.year % 100, 2) : padded(time.year, run);
          break;
        case 'M':
          text += padded(time.month, run);
          break;
        case 'd':
          text += padded(time.day, run);
          break;
        case 'H':
          text += padded(time.hour, run);
          break;
        case 'm':
          text += padded(time.minute, run);
          break;
        case 's':
          text += padded(time.second, run);
          break;
        case 'S':
          text += padded(time.millisecond, run);
          break;
        default:
          text += format.substr(i, run);
      }
      i += run;
    }
    return text;
  };
}

Scalar concat(const Call& call, AttributeType& type) {
  require(call.types.size() >= 2, call);
  type = AttributeType::kString;
  return [](const Values& values, const EvalContext&) -> Value {
    std::string text;
    for (const Value& value : values) {
      if (!is_null(value)) text += java_text(value);
    }
    return text;
  };
}

void require_strings(const Call& call, size_t count) {
  require(call.types.size() == count &&
              std::all_of(call.types.begin(), call.types.end(),
                          [](AttributeType type) { return type == AttributeType::kString; }),
          call);
}

Scalar text_length(const Call& call, AttributeType& type) {
  require_strings(call, 1);
  type = AttributeType::kInt;
  return [](const Values& values, const EvalContext&) -> Value {
    if (is_null(values[0])) return {};
    const auto& text = std::get<std::string>(values[0]);
    auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    return static_cast<int32_t>(std::count_if(text.begin(), text.end(), starts_character));
  };
}

Scalar upper(const Call& call, AttributeType& type) {
  require_strings(call, 1);
  type = AttributeType::kString;
  return [](const Values& values, const EvalContext&) -> Value {
    if (is_null(values[0])) return {};
    std::string text = std::get<std::string>(values[0]);
    for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return text;
  };
}

Scalar contains(const Call& call, AttributeType& type) {
  require_strings(call, 2);
  type = AttributeType::kBool;
  return [](const Values& values, const EvalContext&) -> Value {
    if (is_null(values[0]) || is_null(values[1])) return false;
    return std::get<std::string>(values[0]).find(std::get<std::string>(values[1])) !=
           std::string::npos;
  };
}

template <class T>
Scalar instance_of(AttributeType& type) {
  type = AttributeType::kBool;
  return [](const Values& values, const EvalContext&) -> Value {
    return std::holds_alternative<T>(values[0]);
  };
}

Scalar if_then_else(const Call& call, AttributeType& type) {
  require(call.types.size() == 3 && call.types[0] == AttributeType::kBool &&
              call.types[1] == call.types[2],
          call);
  type = call.types[1];
  return [](const Values& values, const EvalContext&) {
    return is_true(values[0]) ? values[1] : values[2];
  };
}

Scalar coalesce(const Call& call, AttributeType& type) {
  require(all_of_one_type(call), call);
  type = call.types[0];
  return [](const Values& values, const EvalContext&) -> Value {
    for (const Value& value : values) {
      if (!is_null(value)) return value;
    }
    return {};
  };
}

Scalar conversion(const Call& call, AttributeType& type, bool cast) {
  require(call.types.size() == 2, call);
  auto to = constant_type(call, 1);
  require(to.has_value(), call);
  type = *to;
  if (cast) return [](const Values& values, const EvalContext&) { return values[0]; };
  return [to](const Values& values, const EvalContext&) { return convert(values[0], *to); };
}

Scalar bind_core(const Call& call, AttributeType& type) {
  const std::string& name = call.expression->name;
  if (name == "maximum" || name == "minimum") return extremum(call, type, name == "maximum");
  if (name == "coalesce" || name == "default") return coalesce(call, type);
  if (name == "ifThenElse") return if_then_else(call, type);
  if (name == "convert" || name == "cast") return conversion(call, type, name == "cast");
  if (name.starts_with("instanceOf")) require(call.types.size() == 1, call);
  if (name == "instanceOfBoolean") return instance_of<bool>(type);
  if (name == "instanceOfInteger") return instance_of<int32_t>(type);
  if (name == "instanceOfLong") return instance_of<int64_t>(type);
  if (name == "instanceOfFloat") return instance_of<float>(type);
  if (name == "instanceOfDouble") return instance_of<double>(type);
  if (name == "instanceOfString") return instance_of<std::string>(type);
  if (name == "eventTimestamp" && call.types.empty()) {
    type = AttributeType::kLong;
    return
        [](const Values&, const EvalContext& context) -> Value { return context.event->timestamp; };
  }
  if (name == "currentTimeMillis" && call.types.empty()) {
    type = AttributeType::kLong;
    return [](const Values&, const EvalContext& context) -> Value { return context.now; };
  }
  throw PlanError{"no function " + name};
}

}  // namespace

Scalar bind_scalar(const Call& call, AttributeType& type) {
  const std::string& name_space = call.expression->name_space;
  const std::string& name = call.expression->name;
  if (name_space.empty()) return bind_core(call, type);
  if (name_space == "str") {
    if (name == "concat") return concat(call, type);
    if (name == "length") return text_length(call, type);
    if (name == "upper") return upper(call, type);
    if (name == "contains") return contains(call, type);
  }
  if (name_space == "time" && name == "extract") return time_extract(call, type);
  if (name_space == "time" && name == "dateFormat") return date_format(call, type);
  throw PlanError{"no function " + name_space + ":" + name};
}

}  // namespace pollux::oracle
