// Queries: from their text to what their instances need.
#include "tests/oracle/query_plan.h"

#include <algorithm>

#include "tests/oracle/named_window.h"
#include "tests/oracle/query_instance.h"

namespace pollux::oracle {

std::string name_of(const ast::StreamSource& source) {
  return (source.inner ? "#" : "") + source.stream;
}

RatePlan QueryPlan::Parts::rate() const {
  RatePlan plan;
  plan.rate = &query->rate;
  plan.grouped = !selector.group_by.empty();
  plan.aggregated = selector.aggregated;
  plan.windowed = std::holds_alternative<ast::JoinInput>(query->input);
  if (const auto* source = std::get_if<ast::StreamSource>(&query->input)) {
    plan.windowed = std::any_of(source->handlers.begin(), source->handlers.end(),
                                [](const ast::StreamHandler& handler) {
                                  return handler.kind == ast::StreamHandler::Kind::kWindow;
                                });
  }
  return plan;
}

namespace {

using Parts = QueryPlan::Parts;

std::vector<EventPtr> one(const Event& event) { return {std::make_shared<Event>(event)}; }

Fields fields_of(const ast::StreamSource& source, PlanState& plan,
                 const std::map<std::string, Fields>* inner) {
  if (source.anonymous != nullptr || source.fault) throw PlanError{"source not supported"};
  const auto& known = source.inner ? *inner : plan.inferred;
  if (source.inner && inner == nullptr) throw PlanError{"inner stream outside a partition"};
  auto found = known.find(name_of(source));
  if (found == known.end()) throw PlanError{"no stream " + source.stream};
  return found->second;
}

void bind_single(const ast::StreamSource& source, const std::map<std::string, Fields>* inner,
                 Parts& parts) {
  parts.inputs = {name_of(source)};
  Source bound{{name_of(source)}, fields_of(source, *parts.plan, inner)};
  if (!source.alias.empty()) bound.names.push_back(source.alias);
  parts.scope.sources = {std::move(bound)};
}

void bind_join(const ast::JoinInput& join, const std::map<std::string, Fields>* inner,
               Parts& parts) {
  if (join.per != nullptr || !join.within.empty() || join.within_ms) {
    throw PlanError{"within and per are not supported"};
  }
  int tables = 0;
  for (const ast::StreamSource* side : {&join.left, &join.right}) {
    Table* table = side->inner ? nullptr : parts.plan->find_table(side->stream);
    Source bound{{side->alias.empty() ? name_of(*side) : side->alias}, {}};
    if (table != nullptr) {
      bound.fields = table->fields();
      ++tables;
    } else {
      bound.fields = fields_of(*side, *parts.plan, inner);
      if (std::find(parts.inputs.begin(), parts.inputs.end(), name_of(*side)) ==
          parts.inputs.end()) {
        parts.inputs.push_back(name_of(*side));
      }
    }
    parts.scope.sources.push_back(std::move(bound));
  }
  if (tables == 2) throw PlanError{"a join of two tables"};
  if (parts.inputs.size() == 1 && parts.plan->find_window(parts.inputs[0]) != nullptr &&
      tables == 0) {
    throw PlanError{"a join of a window with itself is not supported"};
  }
  for (const ast::StreamSource* side : {&join.left, &join.right}) {
    bool named = !side->inner && parts.plan->find_window(side->stream) != nullptr;
    if (named && !side->handlers.empty()) throw PlanError{"a named window is joined as it is"};
  }
  if (join.on != nullptr) {
    parts.join_condition = bind(*join.on, parts.scope);
    if (parts.join_condition.type != AttributeType::kBool) throw PlanError{"on is no condition"};
  }
}

void bind_state(const ast::StateInput& input, const std::map<std::string, Fields>* inner,
                Parts& parts) {
  auto fields = [&](const ast::StreamSource& source) {
    return fields_of(source, *parts.plan, inner);
  };
  parts.pattern = bind_pattern(input, fields, parts.plan->base_scope());
  parts.scope = parts.pattern->scope;
  for (const StepPlan& step : parts.pattern->steps) {
    if (std::find(parts.inputs.begin(), parts.inputs.end(), step.stream) == parts.inputs.end()) {
      parts.inputs.push_back(step.stream);
    }
  }
}

// Conditions and assignments on a table see the output row first, then the table's.
Scope table_scope(Parts& parts) {
  Scope scope = parts.plan->base_scope();
  Source event{{}, parts.selector.output};
  for (const Source& source : parts.scope.sources) {
    for (const std::string& name : source.names) {
      if (name != parts.table->name()) event.names.push_back(name);
    }
  }
  scope.sources = {event, {{parts.table->name()}, parts.table->fields()}};
  scope.current = 0;
  return scope;
}

std::function<Value(const Row&, const Row&)> over_rows(Bound bound, PlanState* plan) {
  return [bound, plan](const Row& event, const Row& row) {
    Combined combined;
    Event left, right;
    left.data = event;
    right.data = row;
    combined.slots = {one(left), one(right)};
    EvalContext context{&combined, nullptr, plan->clock.now(), &plan->table_pointers};
    return bound.eval(context);
  };
}

size_t field_number(const Fields& fields, const std::string& name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
  }
  throw PlanError{"no attribute " + name};
}

void bind_table_change(const ast::OutputAction& output, Parts& parts) {
  Scope scope = table_scope(parts);
  if (output.on != nullptr) {
    auto condition = over_rows(bind(*output.on, scope), parts.plan);
    parts.on = [condition](const Row& event, const Row& row) {
      return is_true(condition(event, row));
    };
  } else {
    parts.on = [](const Row&, const Row&) { return true; };
  }
  if (output.kind == ast::OutputAction::Kind::kDelete) return;
  for (const ast::Assignment& assignment : output.set) {
    size_t field = field_number(parts.table->fields(), assignment.target.attribute);
    parts.set.push_back({field, over_rows(bind(*assignment.value, scope), parts.plan)});
  }
  if (output.set.empty()) {
    for (size_t i = 0; i < parts.selector.output.size(); ++i) {
      size_t field = field_number(parts.table->fields(), parts.selector.output[i].name);
      parts.set.push_back({field, [i](const Row& event, const Row&) { return event[i]; }});
    }
  }
  std::stable_sort(parts.set.begin(), parts.set.end(),
                   [](const auto& a, const auto& b) { return a.field < b.field; });
}

void bind_output(std::map<std::string, Fields>* inner, Parts& parts) {
  const ast::OutputAction& output = parts.query->output;
  if (output.kind == ast::OutputAction::Kind::kReturn) return;
  parts.target = (output.inner ? "#" : "") + output.target;
  if (output.fault) throw PlanError{"fault streams are not supported"};
  parts.table = output.inner ? nullptr : parts.plan->find_table(output.target);
  if (parts.table != nullptr) {
    if (output.kind != ast::OutputAction::Kind::kDelete &&
        output.kind != ast::OutputAction::Kind::kUpdate &&
        parts.selector.output != parts.table->fields()) {
      throw PlanError{"the output does not fit the table " + output.target};
    }
    if (output.kind != ast::OutputAction::Kind::kInsert) bind_table_change(output, parts);
    return;
  }
  if (output.kind != ast::OutputAction::Kind::kInsert) throw PlanError{"no such table"};
  parts.window = output.inner ? nullptr : parts.plan->find_window(output.target);
  auto& known = output.inner ? *inner : parts.plan->inferred;
  auto [found, added] = known.emplace(parts.target, parts.selector.output);
  if (!added && found->second != parts.selector.output) {
    throw PlanError{"the output does not fit the stream " + parts.target};
  }
}

std::string info_name(const std::vector<ast::Annotation>& annotations) {
  for (const ast::Annotation& annotation : annotations) {
    if (lower_case(annotation.name) != "info") continue;
    for (const ast::AnnotationElement& element : annotation.elements) {
      if (lower_case(element.key) == "name") return element.value;
    }
  }
  return "";
}

}  // namespace

QueryPlan::QueryPlan(const ast::Query& query, PlanState& plan, std::map<std::string, Fields>* inner)
    : parts_(std::make_unique<Parts>()) {
  parts_->query = &query;
  parts_->plan = &plan;
  parts_->info_name = info_name(query.annotations);
  parts_->scope = plan.base_scope();
  if (auto* single = std::get_if<ast::StreamSource>(&query.input)) {
    bind_single(*single, inner, *parts_);
  } else if (auto* join = std::get_if<ast::JoinInput>(&query.input)) {
    bind_join(*join, inner, *parts_);
  } else {
    bind_state(std::get<ast::StateInput>(query.input), inner, *parts_);
  }
  bool snapshot = query.rate.kind == ast::OutputRate::Kind::kSnapshot;
  if (snapshot && query.output.events != ast::OutputAction::Events::kAll) {
    throw PlanError{"a snapshot inserts all events"};
  }
  parts_->selector = bind_selector(query, parts_->scope);
  bind_output(inner, *parts_);
}

QueryPlan::~QueryPlan() = default;
QueryPlan::QueryPlan(QueryPlan&&) noexcept = default;

const std::vector<std::string>& QueryPlan::inputs() const { return parts_->inputs; }

std::unique_ptr<QueryInstance> QueryPlan::instantiate(const Surroundings& where) const {
  if (std::holds_alternative<ast::StreamSource>(parts_->query->input)) {
    return make_single(*parts_, where);
  }
  if (std::holds_alternative<ast::JoinInput>(parts_->query->input)) {
    return make_join(*parts_, where);
  }
  return make_pattern(*parts_, where);
}

}  // namespace pollux::oracle
