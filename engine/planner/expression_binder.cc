#include "engine/planner/expression_binder.h"

#include <algorithm>
#include <utility>

#include "engine/expression/function_registry.h"
#include "engine/expression/operators.h"
#include "engine/expression/row_function.h"
#include "engine/planner/table_membership.h"

namespace pollux {
namespace {

using Kind = ast::Expression::Kind;

std::string type_name(AttributeType type) { return std::string(name_of(type)); }

const char* symbol_of(Kind kind) {
  switch (kind) {
    case Kind::kMultiply:
      return "*";
    case Kind::kDivide:
      return "/";
    case Kind::kModulo:
      return "%";
    case Kind::kAdd:
      return "+";
    case Kind::kSubtract:
      return "-";
    case Kind::kGreater:
      return ">";
    case Kind::kGreaterEqual:
      return ">=";
    case Kind::kLess:
      return "<";
    case Kind::kLessEqual:
      return "<=";
    case Kind::kEqual:
      return "==";
    case Kind::kNotEqual:
      return "!=";
    case Kind::kAnd:
      return "and";
    case Kind::kOr:
      return "or";
    default:
      return "not";
  }
}

/// A function whose result is a bool gives false in place of null, as in the original.
ExpressionPtr null_is_false(ExpressionPtr call) {
  if (call->type() != AttributeType::kBool) return call;
  return make_row_function(AttributeType::kBool, {std::move(call)},
                           [](const RowArguments& in, RowResult& out) {
                             if (in.stray(0).size() != 0) return out.put_argument(in, 0);
                             bool truth = !in.is_null(0) && in.get<uint8_t>(0) != 0;
                             out.put<uint8_t>(truth ? 1 : 0);
                           });
}

}  // namespace

ExpressionPtr ExpressionBinder::fail(const Location& location, std::string message,
                                     std::string expected, std::string hint) {
  diagnostics_.push_back({location, std::move(message), std::move(expected), std::move(hint)});
  return nullptr;
}

ExpressionPtr ExpressionBinder::resolved(NameResult result, const Location& location) {
  if (auto* error = std::get_if<NameError>(&result)) {
    return fail(location, error->message, error->expected, error->hint);
  }
  return std::get<ExpressionPtr>(std::move(result));
}

ExpressionPtr ExpressionBinder::bind_condition(const ast::Expression& expression,
                                               const std::string& what) {
  ExpressionPtr bound = bind(expression);
  if (bound && bound->type() != AttributeType::kBool) {
    return fail(expression.location, what + " is of type " + type_name(bound->type()), "a bool");
  }
  return bound;
}

ExpressionPtr ExpressionBinder::bind(const ast::Expression& expression) {
  switch (expression.kind) {
    case Kind::kConstant:
    case Kind::kTime:
      return std::make_shared<ConstantExpression>(expression.constant);
    case Kind::kReference:
      return resolved(scope_.attribute(expression.reference), expression.location);
    case Kind::kIsNull:
      return bind_is_null(expression);
    case Kind::kIn:
      return bind_in(expression);
    case Kind::kFunction:
      return bind_function(expression);
    default:
      return bind_operator(expression);
  }
}

ExpressionPtr ExpressionBinder::bind_operator(const ast::Expression& expression) {
  Operands operands;
  bool whole = true;
  for (const ast::ExpressionPtr& argument : expression.arguments) {
    operands.push_back(bind(*argument));
    whole = whole && operands.back() != nullptr;
  }
  if (!whole) return nullptr;
  const char* symbol = symbol_of(expression.kind);
  switch (expression.kind) {
    case Kind::kNot:
    case Kind::kAnd:
    case Kind::kOr:
      for (const ExpressionPtr& operand : operands) {
        if (operand->type() == AttributeType::kBool) continue;
        return fail(expression.location,
                    "'" + std::string(symbol) + "' cannot take " + type_name(operand->type()),
                    "a bool");
      }
      if (expression.kind == Kind::kNot) return make_not(operands[0]);
      return make_logic(expression.kind == Kind::kAnd, operands[0], operands[1]);
    case Kind::kMultiply:
    case Kind::kDivide:
    case Kind::kModulo:
    case Kind::kAdd:
    case Kind::kSubtract:
      for (const ExpressionPtr& operand : operands) {
        if (is_numeric(operand->type())) continue;
        return fail(expression.location,
                    "'" + std::string(symbol) + "' cannot take " + type_name(operand->type()),
                    "a number",
                    operand->type() == AttributeType::kString && expression.kind == Kind::kAdd
                        ? "strings are joined by str:concat(a, b)"
                        : "");
      }
      return make_arithmetic(expression.kind, operands[0], operands[1]);
    default:
      return bind_comparison(expression, std::move(operands));
  }
}

ExpressionPtr ExpressionBinder::bind_comparison(const ast::Expression& expression,
                                                Operands operands) {
  AttributeType left = operands[0]->type();
  AttributeType right = operands[1]->type();
  bool equality = expression.kind == Kind::kEqual || expression.kind == Kind::kNotEqual;
  bool numbers = is_numeric(left) && is_numeric(right);
  bool alike = left == right && (left == AttributeType::kString || left == AttributeType::kBool);
  if (numbers || (equality && alike)) {
    return make_comparison(expression.kind, operands[0], operands[1]);
  }
  return fail(expression.location,
              "cannot compare " + type_name(left) + " " + symbol_of(expression.kind) + " " +
                  type_name(right),
              equality ? "two numbers, two strings or two bools" : "two numbers");
}

ExpressionPtr ExpressionBinder::bind_is_null(const ast::Expression& expression) {
  const ast::Expression& operand = *expression.arguments[0];
  if (operand.kind == Kind::kReference) {
    const ast::Reference& reference = operand.reference;
    if (reference.attribute.empty()) {
      return resolved(scope_.absence(reference), operand.location);
    }
    NameResult result = scope_.attribute(reference);
    if (std::holds_alternative<NameError>(result) && reference.stream.empty()) {
      // `e1 is null` reads like an attribute; it may be an event.
      ast::Reference event;
      event.stream = reference.attribute;
      event.index = reference.index;
      NameResult absence = scope_.absence(event);
      if (auto* absent = std::get_if<ExpressionPtr>(&absence)) return *absent;
    }
    ExpressionPtr bound = resolved(std::move(result), operand.location);
    return bound ? make_is_null(std::move(bound)) : nullptr;
  }
  ExpressionPtr bound = bind(operand);
  return bound ? make_is_null(std::move(bound)) : nullptr;
}

ExpressionPtr ExpressionBinder::bind_in(const ast::Expression& expression) {
  Table* table = tables_.find_table(expression.table);
  if (tables_.is_external(expression.table)) {
    return fail(expression.location, "'in' asks external table '" + expression.table + "'",
                "a join with it on its primary key: 'left outer join' where events without a row "
                "matter, and then 'T.key is null'");
  }
  if (table == nullptr) {
    std::string near = nearest_name(expression.table, tables_.table_names());
    return fail(expression.location, "'" + expression.table + "' is no table", "a defined table",
                near.empty() ? "" : "did you mean '" + near + "'?");
  }
  tables_.note_access(expression.table);
  if (!scope_.has_row_source()) {
    return fail(expression.location, "'in' cannot be asked in the filter of a pattern's state",
                "a query before the pattern that filters with 'in'");
  }
  return bind_table_membership(*expression.arguments[0], *table, expression.table, scope_, context_,
                               tables_, diagnostics_);
}

bool ExpressionBinder::bind_arguments(const ast::Expression& call, Operands& arguments) {
  bool whole = true;
  for (const ast::ExpressionPtr& argument : call.arguments) {
    arguments.push_back(bind(*argument));
    whole = whole && arguments.back() != nullptr;
  }
  if (!call.star) return whole;
  arguments = scope_.all_attributes();
  if (arguments.empty()) {
    fail(call.location, "'*' has no meaning as an argument here", "attributes");
  }
  return !arguments.empty();
}

ExpressionPtr ExpressionBinder::bind_function(const ast::Expression& expression) {
  ScriptFunctions* scripts = expression.name_space.empty() ? tables_.scripts() : nullptr;
  bool scripted = scripts != nullptr && scripts->has(expression.name);  // it hides ours
  const AggregatorEntry* aggregator = find_aggregator(expression.name_space, expression.name);
  if (aggregator != nullptr && !scripted) return bind_aggregate(expression, *aggregator);
  std::string name = full_name(expression.name_space, expression.name);
  bool of_event = name == "eventTimestamp" && expression.arguments.size() == 1 &&
                  expression.arguments[0]->kind == Kind::kReference;
  if (of_event) {  // the reference means an event, not an attribute
    const ast::Expression& event = *expression.arguments[0];
    return resolved(scope_.timestamp(event.reference), event.location);
  }
  Operands arguments;
  bool whole = bind_arguments(expression, arguments);
  const FunctionEntry* entry = find_function(expression.name_space, expression.name);
  if (entry == nullptr && !scripted) {
    std::vector<std::string> known = function_names();
    if (scripts != nullptr) {
      for (std::string& own : scripts->names()) known.push_back(std::move(own));
    }
    for (const AggregatorEntry& aggregate : aggregator_table()) {
      known.push_back(full_name(aggregate.name_space, aggregate.name));
    }
    std::string near = nearest_name(name, known);
    return fail(expression.location, "unknown function '" + name + "'", "a known function",
                near.empty() ? "" : "did you mean '" + near + "'?");
  }
  if (!whole) return nullptr;
  if (!scripted && entry->reads_clock) context_.note_clock_read();
  CallResult result = scripted ? scripts->call(name, std::move(arguments))
                      : entry->make_numbered != nullptr
                          ? entry->make_numbered(std::move(arguments), context_.uuids())
                          : entry->make(std::move(arguments));
  if (auto* error = std::get_if<CallError>(&result)) {
    return fail(expression.location, name + ": " + error->message, error->expected);
  }
  return null_is_false(std::get<ExpressionPtr>(std::move(result)));
}

ExpressionPtr ExpressionBinder::bind_aggregate(const ast::Expression& expression,
                                               const AggregatorEntry& entry) {
  std::string name = full_name(expression.name_space, expression.name);
  if (aggregates_ == nullptr) {
    return fail(expression.location, "'" + name + "' is an aggregate function",
                "aggregates only in 'select' and 'having'");
  }
  auto* allowed = std::exchange(aggregates_, nullptr);  // aggregates do not nest
  Operands arguments;
  bool whole = bind_arguments(expression, arguments);
  aggregates_ = allowed;
  if (!whole) return nullptr;
  AggregateResult result =
      entry.make({std::move(arguments), context_.strings(), in_order_, context_.dialect()});
  if (auto* expected = std::get_if<std::string>(&result)) {
    return fail(expression.location, name + " does not take these arguments", *expected);
  }
  auto& made = std::get<MadeAggregate>(result);
  AttributeType type = made.function->result_type();
  aggregates_->push_back({std::move(made.function), std::move(made.argument)});
  return std::make_shared<ColumnExpression>(type, SelectorSource::kAggregates,
                                            static_cast<uint32_t>(aggregates_->size() - 1));
}

void split_conjunction(const ast::Expression& expression,
                       std::vector<const ast::Expression*>& parts) {
  if (expression.kind != Kind::kAnd) {
    parts.push_back(&expression);
    return;
  }
  for (const ast::ExpressionPtr& argument : expression.arguments)
    split_conjunction(*argument, parts);
}

namespace {

/// Tells the references to a table from those to the row that searches it.
class TableReferences {
 public:
  TableReferences(const Schema& schema, const IsTableReference& is_table)
      : schema_(schema), is_table_(is_table) {}

  bool mentions_table(const ast::Expression& expression) const {
    if (expression.kind == Kind::kReference) return is_table_(expression.reference);
    return std::any_of(expression.arguments.begin(), expression.arguments.end(),
                       [this](const ast::ExpressionPtr& a) { return mentions_table(*a); });
  }

  /// The column of `T.a` in `T.a == something of the row`, and that something.
  std::optional<std::pair<size_t, const ast::Expression*>> equality(
      const ast::Expression& part) const {
    if (part.kind != Kind::kEqual) return std::nullopt;
    for (int side = 0; side < 2; ++side) {
      const ast::Expression& own = *part.arguments[static_cast<size_t>(side)];
      const ast::Expression& other = *part.arguments[static_cast<size_t>(1 - side)];
      if (own.kind != Kind::kReference || !is_table_(own.reference)) continue;
      std::optional<size_t> column = schema_.find(own.reference.attribute);
      if (column && !mentions_table(other)) return std::pair(*column, &other);
    }
    return std::nullopt;
  }

 private:
  const Schema& schema_;
  const IsTableReference& is_table_;
};

}  // namespace

std::unique_ptr<SearchCondition> bind_table_condition(
    const ast::Expression* condition, const Table& table, const IsTableReference& is_table,
    Scope& scope, PlanContext& context, TableCatalogue& tables, Diagnostics& diagnostics) {
  auto search = std::make_unique<SearchCondition>();
  if (condition == nullptr) return search;
  ExpressionBinder binder(scope, context, tables, diagnostics);
  size_t errors = diagnostics.size();
  binder.bind_condition(*condition, "the condition");  // all its errors, and its columns
  if (diagnostics.size() != errors) return nullptr;

  const Schema& schema = *table.schema();
  TableReferences references(schema, is_table);
  std::vector<const ast::Expression*> parts;
  split_conjunction(*condition, parts);
  std::vector<ExpressionPtr> key_of_column(schema.size());
  std::vector<const ast::Expression*> part_of_column(schema.size(), nullptr);
  for (const ast::Expression* part : parts) {
    auto equality = references.equality(*part);
    if (!equality || part_of_column[equality->first] != nullptr) continue;
    auto [column, value] = *equality;
    ExpressionPtr key = binder.bind(*value);
    AttributeType wanted = schema[column].type;
    bool widens = key->type() == AttributeType::kInt && wanted == AttributeType::kLong;
    bool exact = key->type() == wanted && wanted != AttributeType::kFloat &&
                 wanted != AttributeType::kDouble;  // 0.0 and -0.0 are equal, their bytes are not
    if (!exact && !widens) continue;
    key_of_column[column] = widens ? make_numeric_cast(key, wanted) : key;
    part_of_column[column] = part;
  }
  std::vector<const ast::Expression*> answered;
  const std::vector<size_t>& primary = table.primary_key();
  bool by_primary = !primary.empty() && std::all_of(primary.begin(), primary.end(), [&](size_t c) {
    return key_of_column[c] != nullptr;
  });
  if (by_primary) {
    search->access = SearchCondition::Access::kPrimaryKey;
    for (size_t column : primary) {
      search->key.push_back(key_of_column[column]);
      answered.push_back(part_of_column[column]);
    }
  } else {
    for (size_t column = 0; column < schema.size(); ++column) {
      if (!key_of_column[column] || !table.is_indexed(column)) continue;
      search->access = SearchCondition::Access::kIndex;
      search->index_column = column;
      search->key.push_back(key_of_column[column]);
      answered.push_back(part_of_column[column]);
      break;
    }
  }
  for (const ast::Expression* part : parts) {
    if (std::find(answered.begin(), answered.end(), part) != answered.end()) continue;
    ExpressionPtr bound = binder.bind(*part);
    search->rest = search->rest ? make_logic(true, search->rest, bound) : bound;
  }
  return search;
}

}  // namespace pollux
