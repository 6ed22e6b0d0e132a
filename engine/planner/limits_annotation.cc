#include "engine/planner/limits_annotation.h"

#include <charconv>
#include <cstdint>
#include <string>

#include "engine/planner/annotations.h"

namespace pollux {
namespace {

constexpr uint64_t kMost = 1'000'000'000;

bool read_number(const std::string& text, uint64_t& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 && number <= kMost;
}

}  // namespace

LimitsReading read_limits(const ast::Annotation& annotation) {
  struct Limit {
    const char* key;
    uint64_t PlanLimits::*value;
  };
  static constexpr Limit kLimits[] = {{"partition.instances", &PlanLimits::partition_instances},
                                      {"groups", &PlanLimits::groups},
                                      {"partial.matches", &PlanLimits::partial_matches}};
  LimitsReading read;
  for (const ast::AnnotationElement& element : annotation.elements) {
    const Limit* known = nullptr;
    for (const Limit& limit : kLimits) {
      if (same_name(element.key, limit.key)) known = &limit;
    }
    if (same_name(element.key, "lateness")) {
      read.limits.lateness_ms = parse_duration(element.value);
      if (read.limits.lateness_ms) continue;
      read.diagnostics.push_back(
          {element.location, "'" + element.value + "' is no time", "a time such as '10 sec'", {}});
    } else if (known == nullptr) {
      read.diagnostics.push_back({element.location,
                                  "unknown limit '" + element.key + "'",
                                  "partition.instances, groups, partial.matches or lateness",
                                  {}});
    } else if (!read_number(element.value, read.limits.*(known->value))) {
      read.diagnostics.push_back({element.location,
                                  "'" + element.value + "' is no limit",
                                  "a number from 1 to " + std::to_string(kMost),
                                  {}});
    }
  }
  return read;
}

}  // namespace pollux
