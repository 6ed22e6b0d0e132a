// The time: namespace. Calendar arithmetic is proleptic Gregorian, in UTC.
#include <array>

#include "engine/base/civil_time.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/row_function.h"

namespace pollux {
namespace {

using Arguments = std::vector<ExpressionPtr>;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

constexpr std::array<std::string_view, 6> kUnits = {"year", "month",  "day",
                                                    "hour", "minute", "second"};

int32_t part_of(const CivilTime& time, size_t unit) {
  switch (unit) {
    case 0:
      return static_cast<int32_t>(time.year);
    case 1:
      return time.month;
    case 2:
      return time.day;
    case 3:
      return time.hour;
    case 4:
      return time.minute;
    default:
      return time.second;
  }
}

std::optional<std::string> constant_text(const ExpressionPtr& expression) {
  const Vec* vec = expression->constant();
  if (vec == nullptr || vec->type != AttributeType::kString || vec->is_null(0)) return std::nullopt;
  return std::string(vec->as<StringRef>()[0].view());
}

CallResult make_extract(Arguments arguments) {
  CallError error{"time:extract does not take these arguments",
                  "time:extract(<long> milliseconds, 'year' | 'month' | 'day' | 'hour' | "
                  "'minute' | 'second')"};
  if (arguments.size() != 2) return error;
  if (arguments[0]->type() == AttributeType::kString) std::swap(arguments[0], arguments[1]);
  if (arguments[0]->type() != AttributeType::kLong) return error;
  std::optional<std::string> name = constant_text(arguments[1]);
  if (!name) return error;
  for (size_t unit = 0; unit < kUnits.size(); ++unit) {
    if (kUnits[unit] != lower(*name)) continue;
    return make_row_function(AttributeType::kInt, {arguments[0]},
                             [unit](const RowArguments& in, RowResult& out) {
                               if (in.is_null(0)) return;
                               out.put(part_of(civil_time(in.get<int64_t>(0)), unit));
                             });
  }
  return error;
}

/// One run of a pattern: a letter and its count, or literal text (letter 0).
struct PatternPart {
  char letter;
  size_t width;
  std::string text;
};

std::optional<std::vector<PatternPart>> parse_pattern(std::string_view pattern) {
  constexpr std::string_view kLetters = "yMdHmsS";
  std::vector<PatternPart> parts;
  for (size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (c == '\'') {
      size_t end = pattern.find('\'', i + 1);
      if (end == std::string_view::npos) return std::nullopt;
      parts.push_back({0, 0, end == i + 1 ? "'" : std::string(pattern.substr(i + 1, end - i - 1))});
      i = end + 1;
    } else if (kLetters.find(c) != std::string_view::npos) {
      size_t end = i;
      while (end < pattern.size() && pattern[end] == c) ++end;
      parts.push_back({c, end - i, {}});
      i = end;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      return std::nullopt;
    } else {
      parts.push_back({0, 0, std::string(1, c)});
      ++i;
    }
  }
  return parts;
}

std::string format_time(int64_t ms, const std::vector<PatternPart>& parts) {
  CivilTime time = civil_time(ms);
  std::string text;
  for (const PatternPart& part : parts) {
    if (part.letter == 0) {
      text += part.text;
      continue;
    }
    int64_t value = 0;
    switch (part.letter) {
      case 'y':
        value = part.width == 2 ? time.year % 100 : time.year;
        break;
      case 'M':
        value = time.month;
        break;
      case 'd':
        value = time.day;
        break;
      case 'H':
        value = time.hour;
        break;
      case 'm':
        value = time.minute;
        break;
      case 's':
        value = time.second;
        break;
      default:
        value = time.millisecond;
    }
    std::string digits = std::to_string(value);
    if (digits.size() < part.width) digits.insert(0, part.width - digits.size(), '0');
    text += digits;
  }
  return text;
}

CallResult make_date_format(Arguments arguments) {
  CallError error{"time:dateFormat does not take these arguments",
                  "time:dateFormat(<long> milliseconds, pattern of y M d H m s S)"};
  if (arguments.size() != 2 || arguments[0]->type() != AttributeType::kLong) return error;
  std::optional<std::string> pattern = constant_text(arguments[1]);
  if (!pattern) return error;
  std::optional<std::vector<PatternPart>> parts = parse_pattern(*pattern);
  if (!parts) return error;
  return make_row_function(AttributeType::kString, {arguments[0]},
                           [parts = *parts](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return;
                             out.put_text(format_time(in.get<int64_t>(0), parts));
                           });
}

}  // namespace

std::vector<FunctionEntry> time_functions() {
  return {
      {"time", "extract", "(<long> time, <string> unit) <int>",
       "A part of a time in UTC: year, month (1-12), day, hour (0-23), minute or second.",
       make_extract},
      {"time", "dateFormat", "(<long> time, <string> pattern) <string>",
       "A time in UTC as text, by a pattern such as yyyy-MM-dd HH:mm:ss.", make_date_format},
  };
}

}  // namespace pollux
