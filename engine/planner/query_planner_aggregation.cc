// Aggregations: their definition, and what a join wants of them.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/expression/row_function.h"
#include "engine/expression/time_text.h"
#include "engine/planner/aggregation_retention.h"
#include "engine/planner/aggregation_times.h"
#include "engine/planner/annotations.h"
#include "engine/planner/query_planner.h"
#include "engine/planner/stored_holders.h"

namespace pollux {
namespace {

constexpr const char* kTimestampName = "AGG_TIMESTAMP";

/// What an aggregation offers of the aggregate functions.
constexpr std::array<std::string_view, 6> kFunctions = {"sum", "count", "avg",
                                                        "min", "max",   "distinctCount"};

bool is_function(const ast::Expression& expression) {
  return expression.kind == ast::Expression::Kind::kFunction && expression.name_space.empty() &&
         std::find(kFunctions.begin(), kFunctions.end(), expression.name) != kFunctions.end();
}

bool is_constant(const ast::Expression& expression) {
  return expression.kind == ast::Expression::Kind::kConstant ||
         expression.kind == ast::Expression::Kind::kTime;
}

/// A text as the time that it says; null when it says none.
ExpressionPtr as_time(ExpressionPtr text) {
  return make_row_function(AttributeType::kLong, {std::move(text)},
                           [](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return;
                             if (auto ms = parse_time_text(in.text(0))) out.put(*ms);
                           });
}

/// Fills an AggregationPlan from what is selected.
class AggregationSelection {
 public:
  AggregationSelection(ExpressionBinder& binder, AggregationPlan& plan, Diagnostics& diagnostics)
      : binder_(binder), plan_(plan), diagnostics_(diagnostics) {
    attributes_.push_back({kTimestampName, AttributeType::kLong});
  }

  bool add(const ast::OutputAttribute& output) {
    const ast::Expression& expression = *output.expression;
    const std::string& name = output.name.empty() ? expression.reference.attribute : output.name;
    auto same = [&name](const Attribute& attribute) { return attribute.name == name; };
    if (std::any_of(attributes_.begin(), attributes_.end(), same)) {
      return fail(output.location, "'" + name + "' is selected twice",
                  "another name, given with 'as'");
    }
    bool good = is_function(expression) ? add_function(expression) : add_plain(expression);
    attributes_.push_back({name, type_});
    bool plain = expression.kind == ast::Expression::Kind::kReference;
    plain_.push_back(plain ? expression.reference.attribute : std::string());
    return good;
  }

  const std::vector<Attribute>& attributes() const { return attributes_; }
  /// Of which attribute each one but the first is the plain value; empty: of none.
  const std::vector<std::string>& plain() const { return plain_; }

 private:
  using Source = AggregationPlan::Output::Source;

  bool fail(const Location& location, std::string message, std::string expected) {
    diagnostics_.push_back({location, std::move(message), std::move(expected), {}});
    return false;
  }

  bool add_plain(const ast::Expression& expression) {
    ExpressionPtr bound = binder_.bind(expression);
    if (!bound) return false;
    type_ = bound->type();
    plan_.outputs.push_back({Source::kKept, plan_.kept.size(), 0});
    plan_.kept.push_back(std::move(bound));
    return true;
  }

  bool add_function(const ast::Expression& expression) {
    const std::string& name = expression.name;
    ExpressionPtr argument;
    if (!expression.arguments.empty()) {
      const ast::Expression& given = *expression.arguments[0];
      if (expression.arguments.size() > 1 || given.kind != ast::Expression::Kind::kReference) {
        return fail(given.location, name + " of an aggregation takes no such arguments",
                    "one attribute; what is computed goes through a stream first");
      }
      argument = binder_.bind(given);
      if (!argument) return false;
    } else if (name != "count") {
      return fail(expression.location, name + " needs an argument", "an attribute");
    }
    if (name == "count") {
      type_ = AttributeType::kLong;
      plan_.outputs.push_back({Source::kMeasure, count(), 0});
      return true;
    }
    bool number = is_numeric(argument->type());
    if (name == "distinctCount" ? argument->type() == AttributeType::kObject : !number) {
      return fail(expression.location,
                  name + " does not take " + std::string(name_of(argument->type())),
                  name == "distinctCount" ? "a value of a plain type" : "a number");
    }
    add_measured(name, std::move(argument), expression.arguments[0]->reference.attribute);
    return true;
  }

  void add_measured(const std::string& name, ExpressionPtr argument, const std::string& attribute) {
    AttributeType argument_type = argument->type();
    bool whole = argument_type == AttributeType::kInt || argument_type == AttributeType::kLong;
    if (name == "avg") {
      type_ = AttributeType::kDouble;
      size_t sum = measure("sum", std::move(argument), attribute);
      plan_.outputs.push_back({Source::kMean, sum, count()});
    } else if (name == "sum") {
      type_ = whole ? AttributeType::kLong : AttributeType::kDouble;
      plan_.outputs.push_back({Source::kMeasure, measure(name, std::move(argument), attribute), 0});
    } else if (name == "distinctCount") {
      type_ = AttributeType::kInt;
      plan_.outputs.push_back({Source::kCount32, measure(name, std::move(argument), attribute), 0});
    } else {
      type_ = argument_type;
      size_t extreme = measure(name + "Forever", std::move(argument), attribute);
      plan_.outputs.push_back({Source::kMeasure, extreme, 0});
    }
  }

  size_t count() { return measure("count", nullptr, {}); }

  /// The number of a measure, which is added when it is new.
  size_t measure(const std::string& function, ExpressionPtr argument,
                 const std::string& attribute) {
    for (size_t m = 0; m < plan_.measures.size(); ++m) {
      const AggregationPlan::Measure& known = plan_.measures[m];
      if (known.function == function && known.attribute == attribute) return m;
    }
    plan_.measures.push_back({function, std::move(argument), attribute});
    return plan_.measures.size() - 1;
  }

  ExpressionBinder& binder_;
  AggregationPlan& plan_;
  Diagnostics& diagnostics_;
  std::vector<Attribute> attributes_;
  std::vector<std::string> plain_;
  AttributeType type_ = AttributeType::kObject;  ///< of the attribute in hand
};

}  // namespace

/// The units that are written; empty, and told, when they cannot be.
std::vector<AggregationPlan::Unit> QueryPlanner::aggregation_units(
    const ast::AggregationDefinition& definition) {
  std::set<CalendarUnit> units;
  for (const std::string& name : definition.durations) {
    std::optional<CalendarUnit> unit = calendar_unit_from(name);
    if (!unit) {
      report(definition.location, "an aggregation cannot have " + name + "s",
             "sec, min, hour, day, month or year");
      return {};
    }
    units.insert(*unit);
  }
  if (definition.range) {
    auto first = *calendar_unit_from(definition.durations.front());
    auto last = *calendar_unit_from(definition.durations.back());
    if (first > last) {
      report(definition.location,
             "the units '" + definition.durations.front() + " ... " + definition.durations.back() +
                 "' go from coarse to fine",
             "the finest first, as in sec ... year");
      return {};
    }
    for (auto unit = static_cast<uint8_t>(first); unit < static_cast<uint8_t>(last); ++unit) {
      units.insert(static_cast<CalendarUnit>(unit));
    }
  }
  std::vector<AggregationPlan::Unit> planned;
  for (CalendarUnit unit : units) planned.push_back({unit});
  return planned;
}

bool QueryPlanner::check_aggregation_annotations(const ast::AggregationDefinition& definition) {
  size_t errors = diagnostics_.size();
  if (const auto* key = find_annotation(definition.annotations, "primarykey")) {
    report(key->location, "an aggregation has a primary key of its own", "no '@PrimaryKey'");
  }
  if (const auto* partition = find_annotation(definition.annotations, "partitionbyid")) {
    if (!same_name(annotation_value(*partition, "enable").value_or("true"), "false")) {
      report(partition->location, "'@PartitionById' needs several nodes that share a store",
             "@PartitionById(enable='false'), or none");
    }
  }
  return diagnostics_.size() == errors;
}

ExpressionPtr QueryPlanner::aggregation_time(const ast::Reference& by, const Location& location,
                                             Scope& scope) {
  ast::Expression reference;
  reference.kind = ast::Expression::Kind::kReference;
  reference.location = location;
  reference.reference = by;
  ExpressionPtr time =
      ExpressionBinder(scope, plan_.context(), *this, diagnostics_).bind(reference);
  if (!time || time->type() == AttributeType::kLong) return time;
  if (time->type() == AttributeType::kString) return as_time(std::move(time));
  report(location, "'" + by.attribute + "' is of type " + std::string(name_of(time->type())),
         "a time: a long, or a string 'yyyy-MM-dd HH:mm:ss'");
  return nullptr;
}

void QueryPlanner::add_aggregation(const ast::AggregationDefinition& definition) {
  frame_ = nullptr;
  flow_.begin_query();
  size_t errors = diagnostics_.size();
  check_aggregation_annotations(definition);
  AggregationPlan plan;
  plan.units = aggregation_units(definition);
  std::optional<Input> input = find_input(definition.source);
  if (!input) return;
  if (input->window != nullptr) {
    return report(definition.source.location, "an aggregation cannot read a named window",
                  "a stream");
  }
  std::optional<Handlers> handlers = bind_handlers(definition.source, *input);
  SchemaPtr schema = handlers ? handlers->schema : input->schema;
  SourcesScope scope({{input->names, schema, 0, 0}});
  if (definition.by) plan.time = aggregation_time(*definition.by, definition.location, scope);
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  const ast::Selector& select = definition.selector;
  for (const ast::ExpressionPtr& key : select.group_by) plan.group_by.push_back(binder.bind(*key));
  AggregationSelection selection(binder, plan, diagnostics_);
  if (select.star) {
    for (const Attribute& attribute : schema->attributes()) {
      ast::OutputAttribute all;
      all.expression = std::make_unique<ast::Expression>();
      all.expression->kind = ast::Expression::Kind::kReference;
      all.expression->reference.attribute = attribute.name;
      selection.add(all);
    }
  }
  for (const ast::OutputAttribute& output : select.attributes) selection.add(output);
  if (select.having || !select.order_by.empty() || select.limit || select.offset) {
    report(select.location, "an aggregation only selects and groups",
           "'having', 'order by', 'limit' and 'offset' where it is read");
  }
  if (!plan_retention(definition.annotations, plan, diagnostics_)) return;
  std::optional<StoreReading> store =
      read_store(definition.annotations, definition.name, diagnostics_);
  if (store && store->external) {
    report(store->holder.location, "an aggregation in an external table",
           "no external: an aggregation is held in memory, and written to the store");
  }
  if (!handlers || diagnostics_.size() != errors) return;
  if (store && !plan_stored_columns(definition, selection.attributes(), selection.plain(), plan,
                                    diagnostics_)) {
    return;
  }
  plan.schema = std::make_shared<Schema>(definition.name, selection.attributes());
  flow_.writes_table(definition.name);
  Aggregation& aggregation =
      plan_.add_aggregation(std::make_unique<Aggregation>(plan, plan_.context()));
  if (store) {
    bool purges = find_annotation(definition.annotations, "purge") != nullptr;
    add_stored_aggregation(aggregation, plan, std::move(*store), purges, plan_);
  }
  read(*input, chain_steps(handlers->before, aggregation));
}

std::optional<AggregationWindow> QueryPlanner::plan_aggregation_window(
    const ast::JoinInput& join, const Aggregation& aggregation, Scope& scope, Diagnostics& heard) {
  size_t errors = heard.size();
  auto wrong = [&heard](const Location& location, std::string message, std::string expected) {
    heard.push_back({location, std::move(message), std::move(expected), {}});
  };
  if (join.within.empty() || !join.per) {
    wrong(join.right.location, "a join with an aggregation does not say which of its buckets",
          kAggregationReadForm);
    return std::nullopt;
  }
  AggregationWindow window;
  ExpressionBinder binder(scope, plan_.context(), *this, heard);
  std::vector<const Value*> bounds;
  for (const ast::ExpressionPtr& each : join.within) {
    ExpressionPtr bound = binder.bind(*each);
    if (bound) {
      bool text = bound->type() == AttributeType::kString;
      bool number = bound->type() == AttributeType::kLong && join.within.size() == 2;
      if (!text && !number) {
        wrong(each->location, "'within' cannot take " + std::string(name_of(bound->type())),
              kAggregationReadForm);
      }
      if (is_constant(*each)) bounds.push_back(&each->constant);
    }
    window.within.push_back(std::move(bound));
  }
  window.per = binder.bind(*join.per);
  if (window.per && window.per->type() != AttributeType::kString) {
    wrong(join.per->location, "'per' cannot take " + std::string(name_of(window.per->type())),
          "a string such as 'hours'");
  }
  if (heard.size() != errors) return std::nullopt;
  AggregationTimes times(heard);
  if (bounds.size() == window.within.size()) times.range(bounds, join.within[0]->location);
  if (is_constant(*join.per)) {
    std::vector<CalendarUnit> units;
    for (const AggregationPlan::Unit& unit : aggregation.units()) units.push_back(unit.unit);
    times.unit(join.per->constant, units, join.per->location);
  }
  if (heard.size() != errors) return std::nullopt;
  return window;
}

}  // namespace pollux
