// Selection, output rate and output action of a query.
#include <algorithm>
#include <set>
#include <utility>

#include "engine/expression/operators.h"
#include "engine/operators/observed.h"
#include "engine/operators/output_gate.h"
#include "engine/operators/rate_limiter.h"
#include "engine/operators/snapshot_limiter.h"
#include "engine/operators/table_writer.h"
#include "engine/planner/annotations.h"
#include "engine/planner/query_planner.h"

namespace pollux {
namespace {

/// Whether a row may reach the query on two ways: as both sides of a join, as several states.
bool takes_rows_twice(const ast::QueryInput& input) {
  if (const auto* join = std::get_if<ast::JoinInput>(&input)) {
    return join->left.stream == join->right.stream;
  }
  return std::holds_alternative<ast::StateInput>(input);
}

/// Whether what the query reads leaves again.
bool has_window(const ast::QueryInput& input) {
  const auto* source = std::get_if<ast::StreamSource>(&input);
  if (source == nullptr) return std::holds_alternative<ast::JoinInput>(input);
  return std::any_of(source->handlers.begin(), source->handlers.end(), [](const auto& handler) {
    return handler.kind == ast::StreamHandler::Kind::kWindow;
  });
}

std::string shown_types(const Schema& schema) {
  std::string text;
  for (const Attribute& attribute : schema.attributes()) {
    if (!text.empty()) text += ", ";
    text += attribute.name + " " + std::string(name_of(attribute.type));
  }
  return "(" + text + ")";
}

/// Whether a number of one type can be set where another stands, losing digits at most.
bool widens(AttributeType from, AttributeType to) {
  auto is_floating = [](AttributeType type) {
    return type == AttributeType::kFloat || type == AttributeType::kDouble;
  };
  bool whole = from == AttributeType::kInt || from == AttributeType::kLong;
  if (is_floating(to)) return whole || is_floating(from);
  return from == AttributeType::kInt && to == AttributeType::kLong;
}

std::optional<int64_t> constant_integer(const ast::Expression& expression) {
  if (const auto* number = std::get_if<int32_t>(&expression.constant)) return *number;
  if (const auto* number = std::get_if<int64_t>(&expression.constant)) return *number;
  return std::nullopt;
}

}  // namespace

/// Whether rows leave in the order in which they came; not known of joins and named windows.
bool QueryPlanner::leaves_in_order(const ast::QueryInput& input) const {
  const auto* source = std::get_if<ast::StreamSource>(&input);
  if (source == nullptr) return !std::holds_alternative<ast::JoinInput>(input);
  if (!source->inner && plan_.find_window(source->stream) != nullptr) return false;
  return std::none_of(source->handlers.begin(), source->handlers.end(),
                      [](const ast::StreamHandler& handler) {
                        return handler.kind == ast::StreamHandler::Kind::kWindow &&
                               !window_leaves_in_order(handler);
                      });
}

/// Whether one row of a chunk stands for it, where there are aggregates or groups. 3.1: only with
/// aggregates, and only of what comes in batches: of batch windows, named windows and joins.
bool QueryPlanner::stands_for_chunk(const ast::Query& query, const SelectorPlan& plan) {
  const ast::OutputAction& action = query.output;
  if (plan_.context().dialect() == Dialect::k51) {
    if (action.raw) {
      report(action.location, "'raw events' are of SiddhiQL 3.1", "'all events', 'expired events'",
             "an annotation such as @Plan:name('x') makes it a plan of 3.1");
    }
    return true;
  }
  if (plan.aggregates.empty() || action.raw) return false;
  const auto* source = std::get_if<ast::StreamSource>(&query.input);
  if (source == nullptr) return std::holds_alternative<ast::JoinInput>(query.input);
  if (!source->inner && plan_.find_window(source->stream) != nullptr) return true;
  return std::any_of(source->handlers.begin(), source->handlers.end(),
                     [](const ast::StreamHandler& handler) {
                       return handler.kind == ast::StreamHandler::Kind::kWindow &&
                              (handler.name == "batch" || handler.name.ends_with("Batch"));
                     });
}

std::optional<QueryPlanner::Selection> QueryPlanner::plan_selection(
    const ast::Query& query, Scope& scope, const std::vector<StarAttribute>& star) {
  const ast::Selector& select = query.selector;
  Selection selection;
  SelectorPlan& plan = selection.plan;
  bool good = true;
  std::set<std::string> seen;
  std::vector<Attribute> attributes;
  auto add = [&](const std::string& name, ExpressionPtr value, const Location& location) {
    if (!seen.insert(name).second) {
      report(location, "'" + name + "' is selected twice", "another name, given with 'as'");
      good = false;
    }
    good = good && value != nullptr;
    attributes.push_back({name, value ? value->type() : AttributeType::kObject});
    selection.names.push_back(name);
    plan.projection.push_back(std::move(value));
  };
  for (const StarAttribute& attribute : star) add(attribute.name, attribute.value, select.location);
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  bool in_order = leaves_in_order(query.input);
  binder.allow_aggregates(plan.aggregates, in_order);
  if (!select.star) {
    for (const ast::OutputAttribute& attribute : select.attributes) {
      std::string name = attribute.name;
      if (name.empty()) name = attribute.expression->reference.attribute;
      add(name, binder.bind(*attribute.expression), attribute.location);
    }
  }
  ExpressionBinder keys(scope, plan_.context(), *this, diagnostics_);
  for (const ast::ExpressionPtr& key : select.group_by) {
    plan.group_by.push_back(keys.bind(*key));
    good = good && plan.group_by.back() != nullptr;
  }
  OutputScope output_scope(selection.names, plan.projection, scope, !plan.aggregates.empty());
  if (select.having) {
    ExpressionBinder having(output_scope, plan_.context(), *this, diagnostics_);
    having.allow_aggregates(plan.aggregates, in_order);
    plan.having = having.bind_condition(*select.having, "'having'");
    good = good && plan.having != nullptr;
  }
  for (const ast::OrderBy& order : select.order_by) {
    ExpressionBinder ordering(output_scope, plan_.context(), *this, diagnostics_);
    plan.order_by.push_back({ordering.bind(*order.expression), order.descending});
    good = good && plan.order_by.back().expression != nullptr;
  }
  auto constant = [&](const ast::ExpressionPtr& expression, const char* what,
                      std::optional<int64_t>& value) {
    if (!expression) return;
    value = constant_integer(*expression);
    if (value && *value >= 0) return;
    report(expression->location, std::string("'") + what + "' is no constant of 0 or more",
           "a whole number");
    good = false;
  };
  constant(select.limit, "limit", plan.limit);
  constant(select.offset, "offset", plan.offset);
  if (!good) return std::nullopt;

  plan.batching = stands_for_chunk(query, plan);
  using Events = ast::OutputAction::Events;
  plan.current = query.output.events != Events::kExpired;
  plan.expired = query.output.events != Events::kCurrent;
  plan.output = std::make_shared<Schema>(query.output.target, std::move(attributes));
  return selection;
}

SelectedReceiver* QueryPlanner::plan_output(const ast::Query& query, Selection& selection) {
  SelectedReceiver* target = plan_target(query, selection.plan.output);
  const ast::Annotation* info = find_annotation(query.annotations, "info");
  if (target != nullptr && observer_ != nullptr && info != nullptr) {
    std::string name = annotation_value(*info, "name").value_or("");
    target = &own(std::make_unique<ObservedQuery>(std::move(name), *observer_, *target));
  }
  gate_ = nullptr;
  // What comes of a row on one way may change a table that the row's other way looks into.
  bool through_table = !plan_.all_tables().empty() && takes_rows_twice(query.input);
  if (target != nullptr && (plan_.context().loops() || through_table)) {
    target = gate_ = &own(std::make_unique<OutputGate>(plan_.context().loop_guard(), *target));
  }
  if (target == nullptr || query.rate.kind == ast::OutputRate::Kind::kNone) return target;
  if (query.rate.amount <= 0) {
    report(query.rate.location, "an output rate of every 0", "1 or more");
    return nullptr;
  }
  if (query.rate.kind == ast::OutputRate::Kind::kSnapshot) {
    return plan_snapshots(query, selection.plan, *target);
  }
  RateLimiter::Options options;
  options.which = query.rate.which;
  options.amount = query.rate.amount;
  options.by_time = query.rate.kind == ast::OutputRate::Kind::kTime;
  options.grouped = !selection.plan.group_by.empty();
  options.keyed = frame_ != nullptr;
  options.first_by_steps = plan_.context().dialect() == Dialect::k31;
  bool at_once = options.which == ast::OutputRate::Which::kFirst &&
                 !(options.first_by_steps && options.grouped);
  if (!at_once) flow_.holds_rows_back();
  selection.plan.group_keys_wanted = options.grouped;
  return &own(
      std::make_unique<RateLimiter>(options, selection.plan.output, plan_.context(), *target));
}

/// A snapshot follows what comes and goes row by row, so it needs all events.
SelectedReceiver* QueryPlanner::plan_snapshots(const ast::Query& query, SelectorPlan& selection,
                                               SelectedReceiver& target) {
  if (query.output.events != ast::OutputAction::Events::kAll) {
    report(query.output.location, "a snapshot of some of the events",
           "'insert all events into', or 'for all events'");
    return nullptr;
  }
  flow_.holds_rows_back();
  SnapshotLimiter::Options options;
  options.period_ms = query.rate.amount;
  options.windowed = has_window(query.input);
  options.grouped = !selection.group_by.empty();
  options.keyed = frame_ != nullptr;
  options.tells_empty =
      observer_ != nullptr && find_annotation(query.annotations, "info") != nullptr;
  for (const ExpressionPtr& value : selection.projection) {
    auto* column = dynamic_cast<ColumnExpression*>(value.get());
    options.aggregated.push_back(column != nullptr &&
                                 column->source() == SelectorSource::kAggregates);
  }
  selection.group_keys_wanted = options.grouped;
  selection.resets_wanted = !options.grouped;
  if (options.grouped) {  // as in the original
    selection.order_by.clear();
    selection.offset.reset();
  }
  selection.batching = false;
  selection.having_for_expired = false;
  return &own(std::make_unique<SnapshotLimiter>(std::move(options), selection.output,
                                                plan_.context(), target));
}

SelectedReceiver* QueryPlanner::plan_target(const ast::Query& query, const SchemaPtr& output) {
  const ast::OutputAction& action = query.output;
  if (action.kind == ast::OutputAction::Kind::kReturn)
    return &own(std::make_unique<ReturnedRows>());
  if (action.kind == ast::OutputAction::Kind::kNone) {
    report(query.location, "the query has no output", "insert into <stream>");
    return nullptr;
  }
  if (action.fault) {
    if (action.kind == ast::OutputAction::Kind::kInsert && plan_.find_stream("!" + action.target)) {
      return plan_stream_target(action, output);
    }
    report(action.location, "there is no fault stream '!" + action.target + "'",
           "insert into one whose stream has @OnError(action='STREAM')");
    return nullptr;
  }
  if (!action.inner && is_external(action.target)) {
    report(action.location, "'" + action.target + "' is an external table, which is only read",
           "a stream with a sink of type 'store', or a table without external='true'");
    return nullptr;
  }
  Table* table = action.inner ? nullptr : find_table(action.target);
  if (table != nullptr) return plan_table_target(action, output, *table);
  if (!action.inner && plan_.find_aggregation(action.target) != nullptr) {
    report(action.location, "'" + action.target + "' is an aggregation: nothing goes into it",
           "a stream, a table or a named window");
    return nullptr;
  }
  if (action.kind == ast::OutputAction::Kind::kInsert) {
    NamedWindow* window = action.inner ? nullptr : plan_.find_window(action.target);
    if (window == nullptr) return plan_stream_target(action, output);
    if (!fits(*output, *window->schema(), action.location, false)) return nullptr;
    flow_.writes_stream(window_entrance(action.target));
    return &own(std::make_unique<InsertIntoWindow>(*window));
  }
  std::string near = nearest_name(action.target, table_names());
  report(action.location, "'" + action.target + "' is no table", "a defined table",
         near.empty() ? "" : "did you mean '" + near + "'?");
  return nullptr;
}

bool QueryPlanner::fits(const Schema& output, const Schema& target, const Location& location,
                        bool by_name) {
  bool same = output.size() == target.size();
  for (size_t i = 0; same && i < output.size(); ++i) {
    same = output[i].type == target[i].type && (!by_name || output[i].name == target[i].name);
  }
  if (same) return true;
  report(location, "the query puts out " + shown_types(output) + " into '" + target.name() + "'",
         shown_types(target));
  return false;
}

SelectedReceiver* QueryPlanner::plan_stream_target(const ast::OutputAction& action,
                                                   const SchemaPtr& output) {
  if (action.inner) {
    if (frame_ == nullptr) {
      report(action.location, "'#" + action.target + "' stands outside of a partition",
             "inner streams only inside 'partition ... begin ... end'");
      return nullptr;
    }
    flow_.writes_stream("#" + action.target);
    std::unique_ptr<Junction>& junction = frame_->streams[action.target];
    if (!junction) {
      junction = std::make_unique<Junction>(output);
    } else if (!fits(*output, *junction->schema(), action.location, true)) {
      return nullptr;
    }
    return &own(std::make_unique<InsertIntoStream>(*junction, true));
  }
  std::string target = (action.fault ? "!" : "") + action.target;
  flow_.writes_stream(target);
  Plan::Stream* stream = plan_.find_stream(target);
  if (stream == nullptr) {
    stream = &plan_.add_stream(output, false);
  } else if (!fits(*output, *stream->junction->schema(), action.location, true)) {
    return nullptr;
  }
  stream->written = true;
  return &own(std::make_unique<InsertIntoStream>(*stream->junction, false));
}

SelectedReceiver* QueryPlanner::plan_table_target(const ast::OutputAction& action,
                                                  const SchemaPtr& output, Table& table) {
  using Kind = ast::OutputAction::Kind;
  flow_.writes_table(action.target);
  if (table.stored() && table.primary_key().empty()) {
    report(action.location, "'" + action.target + "' is kept in a store and has no primary key",
           "@PrimaryKey('...') on its definition, or a table that is only read");
    return nullptr;
  }
  bool inserts = action.kind == Kind::kInsert || action.kind == Kind::kUpdateOrInsert;
  if (inserts && !fits(*output, *table.schema(), action.location, false)) return nullptr;
  if (action.kind == Kind::kInsert)
    return &own(std::make_unique<InsertIntoTable>(table, plan_.context()));

  NamedSource row{{}, output, SearchSource::kRow, 0};
  NamedSource held{{action.target}, table.schema(), SearchSource::kHeld, 0};
  // A bare name is an output attribute first; SourcesScope would call it ambiguous.
  class ChangeScope final : public Scope {
   public:
    ChangeScope(NamedSource row, NamedSource held)
        : row_({std::move(row)}), held_({std::move(held)}) {}
    NameResult attribute(const ast::Reference& reference) override {
      if (!reference.stream.empty()) return held_.attribute(reference);
      NameResult found = row_.attribute(reference);
      if (std::holds_alternative<ExpressionPtr>(found)) return found;
      NameResult in_table = held_.attribute(reference);
      return std::holds_alternative<ExpressionPtr>(in_table) ? in_table : found;
    }

   private:
    SourcesScope row_, held_;
  };
  ChangeScope scope(row, held);
  auto is_table = [&](const ast::Reference& reference) {
    if (!reference.stream.empty()) return reference.stream == action.target;
    return !output->find(reference.attribute) && table.schema()->find(reference.attribute);
  };
  TableChange change;
  change.kind = action.kind == Kind::kDelete   ? TableChange::Kind::kDelete
                : action.kind == Kind::kUpdate ? TableChange::Kind::kUpdate
                                               : TableChange::Kind::kUpdateOrInsert;
  auto condition = bind_table_condition(action.on.get(), table, is_table, scope, plan_.context(),
                                        *this, diagnostics_);
  if (!condition) return nullptr;
  change.condition = std::move(*condition);
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  bool good = true;
  auto set = [&](const std::string& name, ExpressionPtr value, const Location& location) {
    std::optional<size_t> column = table.schema()->find(name);
    if (!value) {
      good = false;
      return;
    }
    if (column && widens(value->type(), (*table.schema())[*column].type)) {
      value = make_numeric_cast(std::move(value), (*table.schema())[*column].type);
    }
    if (!column || (*table.schema())[*column].type != value->type()) {
      report(location, "cannot set '" + name + "' to " + std::string(name_of(value->type())),
             shown_types(*table.schema()));
      good = false;
    } else {
      change.columns.push_back(*column);
      change.values.push_back(std::move(value));
    }
  };
  for (const ast::Assignment& assignment : action.set) {
    set(assignment.target.attribute, binder.bind(*assignment.value), assignment.location);
  }
  if (action.set.empty() && action.kind != Kind::kDelete) {
    for (const Attribute& attribute : output->attributes()) {
      if (!table.schema()->find(attribute.name)) continue;
      ast::Reference reference;
      reference.attribute = attribute.name;
      set(attribute.name, std::get<ExpressionPtr>(scope.attribute(reference)), action.location);
    }
  }
  if (!good) return nullptr;
  return &own(std::make_unique<ChangeTable>(table, std::move(change), plan_.context()));
}

}  // namespace pollux
