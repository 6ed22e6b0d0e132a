#include "engine/planner/annotations.h"

#include <array>
#include <charconv>
#include <utility>

#include "engine/language/parser.h"

namespace pollux {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

constexpr std::array<std::pair<std::string_view, int64_t>, 11> kUnits{{
    {"millisec", 1},
    {"millisecond", 1},
    {"sec", kSecond},
    {"second", kSecond},
    {"min", kMinute},
    {"minute", kMinute},
    {"hour", kHour},
    {"day", kDay},
    {"week", 7 * kDay},
    {"month", 30 * kDay},
    {"year", 365 * kDay},
}};

}  // namespace

bool same_name(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

const ast::Annotation* find_annotation(const std::vector<ast::Annotation>& annotations,
                                       std::string_view name) {
  for (const ast::Annotation& annotation : annotations) {
    if (same_name(annotation.name, name)) return &annotation;
  }
  return nullptr;
}

std::optional<std::string> annotation_value(const ast::Annotation& annotation,
                                            std::string_view key) {
  for (const ast::AnnotationElement& element : annotation.elements) {
    if (same_name(element.key, key)) return element.value;
  }
  return std::nullopt;
}

Dialect dialect_of(const std::vector<ast::Annotation>& annotations, Dialect given) {
  constexpr std::string_view kPrefix = "plan:";
  for (const ast::Annotation& annotation : annotations) {
    if (same_name(std::string_view(annotation.name).substr(0, kPrefix.size()), kPrefix)) {
      return Dialect::k31;
    }
  }
  return given;
}

std::optional<int64_t> parse_duration(std::string_view text) {
  int64_t total = 0;
  bool any = false;
  size_t at = 0;
  auto skip_spaces = [&] {
    while (at < text.size() && text[at] == ' ') ++at;
  };
  for (skip_spaces(); at < text.size(); skip_spaces()) {
    int64_t amount = 0;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), amount);
    if (error != std::errc() || amount < 0) return std::nullopt;
    at = static_cast<size_t>(end - text.data());
    skip_spaces();
    size_t begin = at;
    while (at < text.size() && text[at] != ' ') ++at;
    std::string unit = lower(text.substr(begin, at - begin));
    int64_t scale = 0;
    for (const auto& [name, milliseconds] : kUnits) {
      if (unit == name || unit == std::string(name) + "s") scale = milliseconds;
    }
    if (scale == 0 || __builtin_mul_overflow(amount, scale, &amount) ||
        __builtin_add_overflow(total, amount, &total)) {
      return std::nullopt;
    }
    any = true;
  }
  return any && total <= kSpanMsMax ? std::optional(total) : std::nullopt;
}

}  // namespace pollux
