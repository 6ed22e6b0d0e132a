#include "tests/oracle/selector.h"

#include <algorithm>

namespace pollux::oracle {

namespace {

void bind_attributes(const ast::Selector& selector, Scope scope, SelectorPlan& plan,
                     int& aggregators) {
  scope.aggregators_allowed = true;
  scope.aggregator_count = &aggregators;
  if (selector.star) {
    for (const Source& source : scope.sources) {
      for (const Field& field : source.fields) {
        ast::Expression reference;
        reference.kind = ast::Expression::Kind::kReference;
        reference.reference.attribute = field.name;
        plan.attributes.push_back(bind(reference, scope));
        plan.output.push_back(field);
        plan.aggregated.push_back(false);
      }
    }
    return;
  }
  for (const ast::OutputAttribute& attribute : selector.attributes) {
    plan.attributes.push_back(bind(*attribute.expression, scope));
    plan.has_aggregator |= has_aggregator(*attribute.expression);
    plan.aggregated.push_back(is_aggregator(*attribute.expression));
    std::string name = attribute.name;
    if (name.empty()) {
      if (attribute.expression->kind != ast::Expression::Kind::kReference) {
        throw PlanError{"an expression needs a name"};
      }
      name = attribute.expression->reference.attribute;
    }
    for (const Field& field : plan.output) {
      if (field.name == name) throw PlanError{"attribute " + name + " twice"};
    }
    plan.output.push_back({name, plan.attributes.back().type});
  }
}

std::optional<int64_t> bind_bound(const ast::ExpressionPtr& expression) {
  if (expression == nullptr) return std::nullopt;
  int64_t value = as_long(constant_value(*expression));
  if (value < 0) throw PlanError{"limit and offset cannot be negative"};
  return value;
}

}  // namespace

SelectorPlan bind_selector(const ast::Query& query, const Scope& scope) {
  const ast::Selector& selector = query.selector;
  SelectorPlan plan;
  int aggregators = 0;
  bind_attributes(selector, scope, plan, aggregators);
  for (const auto& group : selector.group_by) plan.group_by.push_back(bind(*group, scope));
  Scope with_output = scope;
  with_output.output = &plan.output;
  if (selector.having != nullptr) {
    Scope having = with_output;
    having.aggregators_allowed = true;
    having.aggregator_count = &aggregators;
    plan.having = bind(*selector.having, having);
    if (plan.having.type != AttributeType::kBool) throw PlanError{"having must be a condition"};
    plan.has_aggregator |= has_aggregator(*selector.having);
  }
  for (const ast::OrderBy& order : selector.order_by) {
    plan.order_by.push_back({bind(*order.expression, with_output), order.descending});
  }
  plan.limit = bind_bound(selector.limit);
  plan.offset = bind_bound(selector.offset);
  plan.each_event = query.rate.kind == ast::OutputRate::Kind::kSnapshot;
  plan.current_on = query.output.events != ast::OutputAction::Events::kExpired;
  plan.expired_on = query.output.events != ast::OutputAction::Events::kCurrent;
  return plan;
}

EvalContext Selector::context(const Combined& event) {
  return {&event, &aggregators_, clock_.now(), &tables_};
}

// Fills output and group; tells whether having lets the event pass.
bool Selector::compute(Combined& event) {
  event.group.clear();
  if (event.kind != EventKind::kReset) {
    for (const Bound& part : plan_.group_by) {
      event.group += java_text(part.eval(context(event))) + ":-:";
    }
  }
  Row output;
  for (const Bound& attribute : plan_.attributes) output.push_back(attribute.eval(context(event)));
  event.output = std::move(output);
  bool leaves_snapshot = plan_.each_event && event.kind == EventKind::kExpired;
  return leaves_snapshot || event.kind == EventKind::kReset || !plan_.having.eval ||
         is_true(plan_.having.eval(context(event)));
}

bool Selector::wanted(const Combined& event) const {
  return event.kind == EventKind::kCurrent ? plan_.current_on : plan_.expired_on;
}

CombinedChunk Selector::select(CombinedChunk chunk) {
  std::erase_if(chunk, [](const Combined& event) { return event.kind == EventKind::kTimer; });
  if (!plan_.group_by.empty()) {
    return plan_.each_event ? each_of_groups(std::move(chunk))
                            : last_of_each_group(std::move(chunk));
  }
  if (!plan_.each_event && plan_.has_aggregator) return last_of_all(std::move(chunk));
  return all(std::move(chunk));
}

CombinedChunk Selector::last_of_each_group(CombinedChunk chunk) {
  CombinedChunk groups;
  for (Combined& event : chunk) {
    bool passes = compute(event);
    if (event.kind == EventKind::kReset || !passes || !wanted(event)) continue;
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const Combined& held) { return held.group == event.group; });
    if (found == groups.end()) {
      groups.push_back(std::move(event));
    } else {
      *found = std::move(event);
    }
  }
  order(groups);
  cut(groups);
  return groups;
}

// As in the original neither ordered nor with an offset; what leaves is not held back by a limit.
CombinedChunk Selector::each_of_groups(CombinedChunk chunk) {
  CombinedChunk out;
  for (Combined& event : chunk) {
    bool passes = compute(event);
    if (event.kind == EventKind::kReset || !passes || !wanted(event)) continue;
    bool room = !plan_.limit || static_cast<int64_t>(out.size()) < *plan_.limit;
    if (room || event.kind == EventKind::kExpired) out.push_back(std::move(event));
  }
  return out;
}

CombinedChunk Selector::last_of_all(CombinedChunk chunk) {
  CombinedChunk last;
  for (Combined& event : chunk) {
    bool passes = compute(event);
    if (event.kind == EventKind::kReset || !passes || !wanted(event)) continue;
    last = {std::move(event)};
  }
  if (plan_.offset.value_or(0) > 0 || plan_.limit.value_or(1) == 0) last.clear();
  return last;
}

CombinedChunk Selector::all(CombinedChunk chunk) {
  CombinedChunk out;
  for (Combined& event : chunk) {
    bool passes = compute(event);
    if (event.kind == EventKind::kReset || (passes && wanted(event))) {
      out.push_back(std::move(event));
    }
  }
  order(out);
  cut(out);
  if (!plan_.each_event) {
    std::erase_if(out, [](const Combined& event) { return event.kind == EventKind::kReset; });
  }
  return out;
}

// Runs of one kind are ordered each on their own. Nulls come last, ascending or not.
void Selector::order(CombinedChunk& chunk) {
  if (plan_.order_by.empty()) return;
  auto before = [this](const Combined& a, const Combined& b) {
    for (const SelectorPlan::Order& order : plan_.order_by) {
      Value left = order.value.eval(context(a));
      Value right = order.value.eval(context(b));
      if (is_null(left) && is_null(right)) continue;
      if (is_null(left) || is_null(right)) return !is_null(left);
      int result = order_of(left, right);
      if (result != 0) return order.descending ? result > 0 : result < 0;
    }
    return false;
  };
  for (auto begin = chunk.begin(); begin != chunk.end();) {
    auto end = std::find_if(begin, chunk.end(),
                            [&](const Combined& event) { return event.kind != begin->kind; });
    std::stable_sort(begin, end, before);
    begin = end;
  }
}

// The original never limits expired events, only counts them.
void Selector::cut(CombinedChunk& chunk) const {
  int64_t skipped = 0, kept = 0;
  std::erase_if(chunk, [&](const Combined& event) {
    if (event.kind == EventKind::kReset) return false;
    if (plan_.offset && skipped < *plan_.offset) {
      ++skipped;
      return true;
    }
    if (!plan_.limit) return false;
    if (kept < *plan_.limit || event.kind == EventKind::kExpired) {
      ++kept;
      return false;
    }
    return true;
  });
}

}  // namespace pollux::oracle
