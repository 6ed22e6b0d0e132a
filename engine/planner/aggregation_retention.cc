#include "engine/planner/aggregation_retention.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engine/base/civil_time.h"
#include "engine/planner/annotations.h"

namespace pollux {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kForEver = -1;
constexpr int64_t kDefaultIntervalMs = 15 * kMinuteMs;

struct Retention {
  int64_t usual_ms;
  int64_t least_ms;  ///< what the next coarser unit may still need
};

/// By unit, as in Siddhi.
constexpr std::array<Retention, 6> kRetentions{{
    {2 * kMinuteMs, 2 * kMinuteMs},
    {24 * kHourMs, 2 * kHourMs},
    {30 * kDayMs, 25 * kHourMs},
    {365 * kDayMs, 32 * kDayMs},
    {kForEver, 13 * 30 * kDayMs},
    {kForEver, 0},
}};

const Retention& retention_of(CalendarUnit unit) { return kRetentions[static_cast<size_t>(unit)]; }

class RetentionPlanner {
 public:
  RetentionPlanner(AggregationPlan& plan, Diagnostics& diagnostics)
      : plan_(plan), diagnostics_(diagnostics) {}

  bool read(const ast::Annotation& purge) {
    std::string enable = annotation_value(purge, "enable").value_or("true");
    if (same_name(enable, "false")) {
      plan_.purge_interval_ms = 0;
      return true;
    }
    if (!same_name(enable, "true")) {
      return fail(purge.location, "'" + enable + "' does not enable or disable '@purge'",
                  "enable='true' or enable='false'");
    }
    if (auto interval = annotation_value(purge, "interval")) {
      std::optional<int64_t> ms = parse_unit_time(*interval);
      if (!ms || *ms <= 0) {
        return fail(purge.location, "'" + *interval + "' is no interval", "interval='15 min'");
      }
      plan_.purge_interval_ms = *ms;
    }
    const ast::Annotation* periods = find_annotation(purge.annotations, "retentionPeriod");
    if (periods == nullptr) return true;
    return std::all_of(periods->elements.begin(), periods->elements.end(),
                       [this](const ast::AnnotationElement& element) { return set(element); });
  }

 private:
  bool fail(const Location& location, std::string message, std::string expected) {
    diagnostics_.push_back({location, std::move(message), std::move(expected), {}});
    return false;
  }

  bool set(const ast::AnnotationElement& element) {
    std::optional<CalendarUnit> unit = calendar_unit_from(element.key);
    auto at = std::find_if(
        plan_.units.begin(), plan_.units.end(),
        [&unit](const AggregationPlan::Unit& each) { return unit && each.unit == *unit; });
    if (at == plan_.units.end()) {
      return fail(element.location, "the aggregation has no '" + element.key + "' to retain",
                  "units that it aggregates every");
    }
    if (same_name(element.value, "all")) {
      at->retention_ms = kForEver;
      return true;
    }
    std::optional<int64_t> ms = parse_unit_time(element.value);
    int64_t least = retention_of(*unit).least_ms;
    if (!ms || *ms < least) {
      return fail(element.location,
                  "'" + element.value + "' is no retention for " + std::string(name_of(*unit)),
                  "'all', or at least " + std::to_string(least / kMinuteMs) + " minutes");
    }
    at->retention_ms = *ms;
    return true;
  }

  AggregationPlan& plan_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool plan_retention(const std::vector<ast::Annotation>& annotations, AggregationPlan& plan,
                    Diagnostics& diagnostics) {
  plan.purge_interval_ms = kDefaultIntervalMs;
  for (AggregationPlan::Unit& unit : plan.units) {
    unit.retention_ms = retention_of(unit.unit).usual_ms;
  }
  const ast::Annotation* purge = find_annotation(annotations, "purge");
  return purge == nullptr || RetentionPlanner(plan, diagnostics).read(*purge);
}

}  // namespace pollux
