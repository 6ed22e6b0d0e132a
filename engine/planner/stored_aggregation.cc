// Aggregations that a record store keeps as well: the columns of their rows, and their holders.
#include <algorithm>
#include <memory>
#include <utility>

#include "engine/operators/stored_buckets.h"
#include "engine/planner/stored_holders.h"

namespace pollux {
namespace {

constexpr const char* kTimestampName = "AGG_TIMESTAMP";
constexpr const char* kLatestName = "AGG_LAST_EVENT_TIMESTAMP";

class StoredColumns {
 public:
  StoredColumns(const ast::AggregationDefinition& definition, AggregationPlan& plan,
                Diagnostics& diagnostics)
      : definition_(definition), plan_(plan), diagnostics_(diagnostics) {
    attributes_.push_back({kTimestampName, AttributeType::kLong});
  }

  bool plan(const std::vector<Attribute>& selected, const std::vector<std::string>& plain) {
    size_t errors = diagnostics_.size();
    std::vector<bool> is_key(plan_.outputs.size(), false);
    for (size_t k = 0; k < plan_.group_by.size(); ++k) add_key(k, selected, plain, is_key);
    bool latest = false;
    for (size_t o = 0; o < plan_.outputs.size(); ++o) {
      if (is_key[o]) continue;
      latest = latest || plan_.outputs[o].source == Source::kKept;
      add(selected[1 + o], plan_.outputs[o]);
    }
    for (size_t m = 0; m < plan_.measures.size(); ++m) add_measure(m);
    if (latest) add({kLatestName, AttributeType::kLong}, {Source::kLatest, 0, 0});
    check_names();
    auto rows = std::make_shared<Schema>(definition_.name, std::move(attributes_));
    plan_.stored.schema = std::move(rows);
    return diagnostics_.size() == errors;
  }

 private:
  using Output = AggregationPlan::Output;
  using Source = Output::Source;

  void report(std::string message, std::string expected) {
    diagnostics_.push_back(
        {definition_.selector.location, std::move(message), std::move(expected), {}});
  }

  void add(Attribute attribute, const Output& output) {
    attributes_.push_back(std::move(attribute));
    plan_.stored.columns.push_back(output);
  }

  /// Under the name that it is selected by, else under its own.
  void add_key(size_t key, const std::vector<Attribute>& selected,
               const std::vector<std::string>& plain, std::vector<bool>& is_key) {
    plan_.stored.keys.push_back(plan_.stored.columns.size());
    const std::string& name = definition_.selector.group_by[key]->reference.attribute;
    auto at = std::find(plain.begin(), plain.end(), name);
    if (at != plain.end()) {
      auto output = static_cast<size_t>(at - plain.begin());
      is_key[output] = true;
      return add(selected[1 + output], plan_.outputs[output]);
    }
    add({name, plan_.group_by[key]->type()}, {Source::kKept, plan_.kept.size(), 0});
    plan_.kept.push_back(plan_.group_by[key]);
  }

  /// What a bucket needs to go on, where it is not selected.
  void add_measure(size_t measure) {
    const AggregationPlan::Measure& wanted = plan_.measures[measure];
    if (wanted.function == "distinctCount") {
      return report(
          "distinctCount cannot be stored: a row has how many values there were, not which",
          "sum, count, avg, min, max and plain values");
    }
    for (const Output& column : plan_.stored.columns) {
      if (column.source == Source::kMeasure && column.index == measure) return;
    }
    const Output output{Source::kMeasure, measure, 0};
    if (wanted.function == "count") return add({"AGG_COUNT", AttributeType::kLong}, output);
    bool whole = wanted.argument->type() == AttributeType::kInt ||
                 wanted.argument->type() == AttributeType::kLong;
    add({"AGG_SUM_" + wanted.attribute, whole ? AttributeType::kLong : AttributeType::kDouble},
        output);
  }

  void check_names() {
    for (size_t a = 0; a < attributes_.size(); ++a) {
      const std::string& name = attributes_[a].name;
      auto same = [&name](const Attribute& other) { return other.name == name; };
      bool twice = std::any_of(attributes_.begin() + static_cast<std::ptrdiff_t>(a) + 1,
                               attributes_.end(), same);
      if (twice || name == kErasedName) {
        report("the stored rows have another attribute '" + name + "'",
               "another name, given with 'as'");
      }
    }
  }

  const ast::AggregationDefinition& definition_;
  AggregationPlan& plan_;
  Diagnostics& diagnostics_;
  std::vector<Attribute> attributes_;
};

/// "SECOND" to "YEAR".
std::string table_unit(CalendarUnit unit) {
  std::string name = upper_case(std::string(name_of(unit)));
  name.pop_back();
  return name;
}

std::string table_of(const StoreReading& reading, CalendarUnit unit) {
  constexpr std::string_view kUnit = "{UNIT}";
  std::string table =
      reading.table_name.empty() ? upper_case(reading.holder.name) : reading.table_name;
  size_t at = table.find(kUnit);
  if (at == std::string::npos) return table + "_" + table_unit(unit);
  return table.replace(at, kUnit.size(), table_unit(unit));
}

}  // namespace

bool plan_stored_columns(const ast::AggregationDefinition& definition,
                         const std::vector<Attribute>& selected,
                         const std::vector<std::string>& plain, AggregationPlan& plan,
                         Diagnostics& diagnostics) {
  if (!StoredColumns(definition, plan, diagnostics).plan(selected, plain)) return false;
  plan.stored.changes = schema_of_changes(definition.name, *plan.stored.schema);
  return true;
}

void add_stored_aggregation(Aggregation& aggregation, const AggregationPlan& plan,
                            StoreReading reading, bool purges, Plan& to) {
  constexpr int64_t kFlushMs = 200;
  StoredPart part;
  part.unit = "aggregation " + reading.holder.name;
  part.pacer = make_pacer(to, reading.flush_ms.value_or(kFlushMs));
  const AggregationPlan::Stored& stored = plan.stored;
  for (size_t u = 0; u < plan.units.size(); ++u) {
    const AggregationPlan::Unit& unit = plan.units[u];
    StoredPart::Holder holder;
    holder.description = reading.holder;
    StoredHolder& description = holder.description;
    description.unit = unit.unit;
    description.table = table_of(reading, unit.unit);
    description.stream =
        name_of_changes(to, description.name + "." + std::string(name_of(unit.unit)));
    description.schema = stored.schema;
    description.primary_key = {kTimestampName};
    for (size_t key : stored.keys) {
      description.primary_key.push_back((*stored.schema)[1 + key].name);
    }
    bool forgets = plan.purge_interval_ms > 0 && unit.retention_ms >= 0;
    description.memory_ms = forgets ? unit.retention_ms : 0;
    description.retention_ms = purges ? description.memory_ms : 0;
    holder.changes = schema_of_changes(description.stream, *stored.schema);
    holder.content = std::make_unique<StoredBuckets>(aggregation.buckets_at(u));
    part.holders.push_back(std::move(holder));
  }
  to.add_stored(std::move(part));
}

}  // namespace pollux
