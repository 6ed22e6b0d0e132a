#include "tests/oracle/expression.h"

#include <algorithm>

#include "tests/oracle/aggregator.h"
#include "tests/oracle/table.h"

namespace pollux::oracle {

namespace {

using Kind = ast::Expression::Kind;

AttributeType type_of(const Value& value) {
  static constexpr AttributeType kTypes[] = {AttributeType::kObject, AttributeType::kBool,
                                             AttributeType::kInt,    AttributeType::kLong,
                                             AttributeType::kFloat,  AttributeType::kDouble,
                                             AttributeType::kString, AttributeType::kObject};
  return kTypes[value.index()];
}

std::string stream_name(const ast::Reference& reference) {
  return (reference.inner ? "#" : "") + reference.stream;
}

int find_source(const Scope& scope, const std::string& name) {
  for (size_t i = 0; i < scope.sources.size(); ++i) {
    const auto& names = scope.sources[i].names;
    if (std::find(names.begin(), names.end(), name) != names.end()) return static_cast<int>(i);
  }
  return -1;
}

int find_field(const Fields& fields, const std::string& name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// Which of the events in a slot a reference means; null when there is none.
using Pick = std::function<const Event*(const std::vector<EventPtr>&)>;

Pick pick_at(int64_t index) {
  return [index](const std::vector<EventPtr>& events) -> const Event* {
    return index >= 0 && index < static_cast<int64_t>(events.size())
               ? events[static_cast<size_t>(index)].get()
               : nullptr;
  };
}

Pick pick_from_end(int64_t back) {
  return [back](const std::vector<EventPtr>& events) -> const Event* {
    auto index = static_cast<int64_t>(events.size()) - 1 - back;
    return index >= 0 ? events[static_cast<size_t>(index)].get() : nullptr;
  };
}

Pick picker(const ast::EventIndex& index, int slot, const Scope& scope) {
  switch (index.kind) {
    case ast::EventIndex::Kind::kNone:
      return scope.newest_by_default ? pick_from_end(0) : pick_at(0);
    case ast::EventIndex::Kind::kAt:
      return pick_at(index.offset);
    case ast::EventIndex::Kind::kFromLast:
      // Inside its own filter the newest event is the candidate: the last one is that before it.
      return pick_from_end(index.offset + (slot == scope.current ? 1 : 0));
  }
  return pick_at(0);
}

Bound bind_attribute(int slot, int field, const ast::EventIndex& index, const Scope& scope) {
  Pick pick = picker(index, slot, scope);
  Bound bound;
  bound.type = scope.sources[static_cast<size_t>(slot)].fields[static_cast<size_t>(field)].type;
  bound.eval = [slot, field, pick](const EvalContext& context) -> Value {
    const auto& slots = context.event->slots;
    if (static_cast<size_t>(slot) >= slots.size()) return {};
    const Event* event = pick(slots[static_cast<size_t>(slot)]);
    return event == nullptr ? Value() : event->data[static_cast<size_t>(field)];
  };
  return bound;
}

Bound bind_output(int field, const Scope& scope) {
  Bound bound;
  bound.type = (*scope.output)[static_cast<size_t>(field)].type;
  bound.eval = [field](const EvalContext& context) {
    return context.event->output[static_cast<size_t>(field)];
  };
  return bound;
}

Bound bind_reference(const ast::Reference& reference, const Scope& scope) {
  if (!reference.stream.empty()) {
    int slot = find_source(scope, stream_name(reference));
    if (slot < 0) throw PlanError{"no stream " + reference.stream};
    int field = find_field(scope.sources[static_cast<size_t>(slot)].fields, reference.attribute);
    if (field < 0) throw PlanError{"no attribute " + reference.attribute};
    return bind_attribute(slot, field, reference.index, scope);
  }
  if (scope.output != nullptr) {
    int field = find_field(*scope.output, reference.attribute);
    if (field >= 0) return bind_output(field, scope);
  }
  int slot = -1;
  for (int i = 0; i < static_cast<int>(scope.sources.size()); ++i) {
    if (scope.current >= 0 && i != scope.current) continue;
    if (find_field(scope.sources[static_cast<size_t>(i)].fields, reference.attribute) < 0) {
      continue;
    }
    if (slot >= 0) throw PlanError{"ambiguous attribute " + reference.attribute};
    slot = i;
  }
  if (slot < 0) throw PlanError{"no attribute " + reference.attribute};
  int field = find_field(scope.sources[static_cast<size_t>(slot)].fields, reference.attribute);
  return bind_attribute(slot, field, reference.index, scope);
}

// `x is null` names an attribute, or a whole event of a pattern or join.
Bound bind_is_null(const ast::Expression& expression, const Scope& scope) {
  const ast::Expression& argument = *expression.arguments.at(0);
  Bound bound;
  bound.type = AttributeType::kBool;
  if (argument.kind == Kind::kReference) {
    const ast::Reference& reference = argument.reference;
    std::string event_name;
    if (reference.attribute.empty()) {
      event_name = stream_name(reference);
    } else if (reference.stream.empty()) {
      bool is_attribute = true;
      try {
        bind_reference(reference, scope);
      } catch (const PlanError&) {
        is_attribute = false;
      }
      if (!is_attribute) event_name = reference.attribute;
    }
    if (!event_name.empty()) {
      int slot = find_source(scope, event_name);
      if (slot < 0) throw PlanError{"no attribute or event " + event_name};
      Pick pick = picker(reference.index, slot, scope);
      bound.eval = [slot, pick](const EvalContext& context) -> Value {
        return pick(context.event->slots[static_cast<size_t>(slot)]) == nullptr;
      };
      return bound;
    }
  }
  Bound inner = bind(argument, scope);
  bound.eval = [inner](const EvalContext& context) -> Value {
    return is_null(inner.eval(context));
  };
  return bound;
}

Bound bind_in(const ast::Expression& expression, const Scope& scope) {
  size_t number = 0;
  const Fields* fields = scope.table ? scope.table(expression.table, number) : nullptr;
  if (fields == nullptr) throw PlanError{"no table " + expression.table};
  // The condition sees the table's row as one more source; names without a stream mean the event.
  Scope inner = scope;
  inner.sources.push_back({{expression.table}, *fields});
  inner.output = nullptr;
  if (inner.current < 0 && scope.sources.size() == 1) inner.current = 0;
  Bound condition = bind(*expression.arguments.at(0), inner);
  size_t slot = scope.sources.size();
  Bound bound;
  bound.type = AttributeType::kBool;
  bound.eval = [condition, number, slot](const EvalContext& context) -> Value {
    Combined with_row = *context.event;
    with_row.slots.resize(slot + 1);
    EvalContext inner_context = context;
    inner_context.event = &with_row;
    for (const Row& row : (*context.tables)[number]->rows()) {
      auto event = std::make_shared<Event>();
      event->data = row;
      with_row.slots[slot] = {event};
      if (is_true(condition.eval(inner_context))) return true;
    }
    return false;
  };
  return bound;
}

Bound bind_logic(const ast::Expression& expression, const Scope& scope) {
  std::vector<Bound> parts;
  for (const auto& argument : expression.arguments) {
    parts.push_back(bind(*argument, scope));
    if (parts.back().type != AttributeType::kBool) throw PlanError{"not a condition"};
  }
  Bound bound;
  bound.type = AttributeType::kBool;
  switch (expression.kind) {
    case Kind::kNot:
      bound.eval = [parts](const EvalContext& context) -> Value {
        return !is_true(parts[0].eval(context));
      };
      break;
    case Kind::kAnd:
      bound.eval = [parts](const EvalContext& context) -> Value {
        return is_true(parts[0].eval(context)) && is_true(parts[1].eval(context));
      };
      break;
    default:
      bound.eval = [parts](const EvalContext& context) -> Value {
        return is_true(parts[0].eval(context)) || is_true(parts[1].eval(context));
      };
  }
  return bound;
}

Bound bind_comparison(const ast::Expression& expression, const Scope& scope) {
  Bound left = bind(*expression.arguments.at(0), scope);
  Bound right = bind(*expression.arguments.at(1), scope);
  bool numbers = is_numeric(left.type) && is_numeric(right.type);
  bool equality = expression.kind == Kind::kEqual || expression.kind == Kind::kNotEqual;
  bool alike = left.type == right.type &&
               (left.type == AttributeType::kString || left.type == AttributeType::kBool);
  if (!numbers && !(equality && alike)) throw PlanError{"types cannot be compared"};
  Bound bound;
  bound.type = AttributeType::kBool;
  Kind kind = expression.kind;
  bound.eval = [kind, left, right](const EvalContext& context) -> Value {
    Value left_value = left.eval(context);
    Value right_value = right.eval(context);
    return compare(kind, left_value, right_value);
  };
  return bound;
}

Bound bind_arithmetic(const ast::Expression& expression, const Scope& scope) {
  Bound left = bind(*expression.arguments.at(0), scope);
  Bound right = bind(*expression.arguments.at(1), scope);
  Bound bound;
  bound.type = arithmetic_type(left.type, right.type);
  Kind kind = expression.kind;
  AttributeType type = bound.type;
  bound.eval = [kind, type, left, right](const EvalContext& context) {
    Value left_value = left.eval(context);
    Value right_value = right.eval(context);
    return arithmetic(kind, type, left_value, right_value);
  };
  return bound;
}

Bound bind_aggregator(const ast::Expression& expression, const Scope& scope) {
  if (!scope.aggregators_allowed) throw PlanError{"no aggregator may stand here"};
  AggregatorSpec spec;
  spec.function = *aggregator_function(expression.name);
  if (expression.arguments.size() > 1) throw PlanError{"an aggregator takes one argument"};
  Scope inner = scope;
  inner.aggregators_allowed = false;
  Bound argument;
  if (!expression.arguments.empty()) {
    argument = bind(*expression.arguments[0], inner);
    spec.argument = argument.type;
  } else if (spec.function != AggregatorFunction::kCount) {
    throw PlanError{"an aggregator takes one argument"};
  }
  int number = (*scope.aggregator_count)++;
  Bound bound;
  bound.type = aggregator_type(spec);
  bound.eval = [spec, number, argument](const EvalContext& context) -> Value {
    EventKind kind = context.event->kind;
    if (kind == EventKind::kReset) {
      context.aggregators->reset(number);
      return {};
    }
    Value value = argument.eval ? argument.eval(context) : Value();
    AggregatorState& state = context.aggregators->state(number, context.event->group, spec);
    return kind == EventKind::kCurrent ? state.add(value) : state.remove(value);
  };
  return bound;
}

// eventTimestamp(e1): of an event of a pattern or join.
Bound bind_event_timestamp(const ast::Reference& reference, const Scope& scope) {
  std::string name = reference.attribute.empty() ? stream_name(reference) : reference.attribute;
  int slot = find_source(scope, name);
  if (slot < 0) throw PlanError{"no event " + name};
  Pick pick = picker(reference.index, slot, scope);
  Bound bound;
  bound.type = AttributeType::kLong;
  bound.eval = [slot, pick](const EvalContext& context) -> Value {
    const Event* event = pick(context.event->slots[static_cast<size_t>(slot)]);
    return event == nullptr ? Value() : Value(event->timestamp);
  };
  return bound;
}

Bound bind_function(const ast::Expression& expression, const Scope& scope) {
  if (expression.name_space.empty() && expression.name == "eventTimestamp" &&
      expression.arguments.size() == 1 && expression.arguments[0]->kind == Kind::kReference) {
    return bind_event_timestamp(expression.arguments[0]->reference, scope);
  }
  if (expression.name_space.empty() && aggregator_function(expression.name)) {
    return bind_aggregator(expression, scope);
  }
  Call call;
  call.expression = &expression;
  std::vector<Bound> arguments;
  for (const auto& argument : expression.arguments) {
    arguments.push_back(bind(*argument, scope));
    call.types.push_back(arguments.back().type);
  }
  Bound bound;
  Scalar scalar = bind_scalar(call, bound.type);
  bound.eval = [arguments, scalar](const EvalContext& context) {
    std::vector<Value> values;
    for (const Bound& argument : arguments) values.push_back(argument.eval(context));
    return scalar(values, context);
  };
  if (bound.type == AttributeType::kBool) {  // of a function null is false
    bound.eval = [inner = bound.eval](const EvalContext& context) -> Value {
      return is_true(inner(context));
    };
  }
  return bound;
}

}  // namespace

Bound bind(const ast::Expression& expression, const Scope& scope) {
  switch (expression.kind) {
    case Kind::kConstant:
    case Kind::kTime: {
      Value value = expression.constant;
      return {type_of(value), [value](const EvalContext&) { return value; }};
    }
    case Kind::kReference:
      return bind_reference(expression.reference, scope);
    case Kind::kNot:
    case Kind::kAnd:
    case Kind::kOr:
      return bind_logic(expression, scope);
    case Kind::kMultiply:
    case Kind::kDivide:
    case Kind::kModulo:
    case Kind::kAdd:
    case Kind::kSubtract:
      return bind_arithmetic(expression, scope);
    case Kind::kIsNull:
      return bind_is_null(expression, scope);
    case Kind::kIn:
      return bind_in(expression, scope);
    case Kind::kFunction:
      return bind_function(expression, scope);
    default:
      return bind_comparison(expression, scope);
  }
}

bool is_aggregator(const ast::Expression& expression) {
  return expression.kind == Kind::kFunction && expression.name_space.empty() &&
         aggregator_function(expression.name).has_value();
}

bool has_aggregator(const ast::Expression& expression) {
  return is_aggregator(expression) ||
         std::any_of(expression.arguments.begin(), expression.arguments.end(),
                     [](const auto& argument) { return has_aggregator(*argument); });
}

Value constant_value(const ast::Expression& expression) {
  if (expression.kind != Kind::kConstant && expression.kind != Kind::kTime) {
    throw PlanError{"a constant is needed"};
  }
  return expression.constant;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

}  // namespace pollux::oracle
