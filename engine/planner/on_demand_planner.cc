#include "engine/planner/on_demand_planner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/expression/time_text.h"
#include "engine/operators/aggregator.h"
#include "engine/planner/aggregation_times.h"
#include "engine/planner/expression_binder.h"

namespace pollux {
namespace {

using Kind = ast::Expression::Kind;

ast::ExpressionPtr make_expression(Kind kind, const Location& location) {
  auto expression = std::make_unique<ast::Expression>();
  expression->kind = kind;
  expression->location = location;
  return expression;
}

ast::ExpressionPtr make_reference(const std::string& attribute) {
  ast::ExpressionPtr expression = make_expression(Kind::kReference, {});
  expression->reference.attribute = attribute;
  return expression;
}

ast::ExpressionPtr make_constant(Value value) {
  ast::ExpressionPtr expression = make_expression(Kind::kConstant, {});
  expression->constant = std::move(value);
  return expression;
}

ast::ExpressionPtr make_binary(Kind kind, ast::ExpressionPtr left, ast::ExpressionPtr right) {
  ast::ExpressionPtr expression = make_expression(kind, left->location);
  expression->arguments.push_back(std::move(left));
  expression->arguments.push_back(std::move(right));
  return expression;
}

ast::ExpressionPtr copy_of(const ast::Expression& from) {
  ast::ExpressionPtr copy = make_expression(from.kind, from.location);
  copy->constant = from.constant;
  copy->reference = from.reference;
  copy->name_space = from.name_space;
  copy->name = from.name;
  copy->star = from.star;
  copy->table = from.table;
  for (const ast::ExpressionPtr& argument : from.arguments) {
    copy->arguments.push_back(copy_of(*argument));
  }
  return copy;
}

ast::ExpressionPtr copy_of(const ast::ExpressionPtr& from) {
  return from ? copy_of(*from) : nullptr;
}

template <class F>
void visit(const ast::Expression& expression, const F& seen) {
  seen(expression);
  for (const ast::ExpressionPtr& argument : expression.arguments) visit(*argument, seen);
}

template <class F>
void visit_all(const ast::Selector& select, const F& seen) {
  for (const ast::OutputAttribute& output : select.attributes) visit(*output.expression, seen);
  for (const ast::ExpressionPtr& key : select.group_by) visit(*key, seen);
  if (select.having) visit(*select.having, seen);
  for (const ast::OrderBy& order : select.order_by) visit(*order.expression, seen);
}

ast::OutputAttribute output_of(std::string name, ast::ExpressionPtr expression) {
  ast::OutputAttribute output;
  output.location = expression->location;
  output.name = std::move(name);
  output.expression = std::move(expression);
  return output;
}

class OnDemandPlanner {
 public:
  OnDemandPlanner(ast::OnDemandQuery query, const Schema& schema,
                  const std::vector<CalendarUnit>* units, Diagnostics& diagnostics)
      : query_(std::move(query)), schema_(schema), units_(units), diagnostics_(diagnostics) {
    if (query_.selector) select_ = std::move(*query_.selector);
    name_outputs();
    find_uses();
  }

  OnDemandSteps plan() {
    OnDemandSteps steps;
    if (units_ != nullptr) {
      plan_buckets(steps);
    } else {
      steps.time_range = time_range();
    }
    steps.equalities = equalities();
    ast::ExpressionPtr condition = condition_for(steps.time_range);
    steps.whole = step(schema_.attributes(), copy_of(condition), copy_of_select());
    steps.scan = step(schema_.attributes(), std::move(condition), select_columns(used_));
    if (folds()) {
      plan_fold(steps);
    } else {
      steps.finish = step(used_, nullptr, copy_of_select());
      bool any_rows_do = select_.limit && select_.order_by.empty() && !select_.having;
      if (any_rows_do)
        steps.rows_needed = whole_number(select_.limit) + whole_number(select_.offset);
    }
    return steps;
  }

 private:
  /// Every selected attribute gets a name and an expression, also those of `select *`.
  void name_outputs() {
    if (select_.star) {
      for (const Attribute& attribute : schema_.attributes()) {
        select_.attributes.push_back(output_of(attribute.name, make_reference(attribute.name)));
      }
      select_.star = false;
    }
    for (ast::OutputAttribute& output : select_.attributes) {
      if (output.name.empty()) output.name = output.expression->reference.attribute;
    }
  }

  void find_uses() {
    std::set<std::string> named;
    bool all = false;
    visit_all(select_, [&](const ast::Expression& expression) {
      if (expression.kind == Kind::kReference) named.insert(expression.reference.attribute);
      all = all || expression.star;
      aggregated_ =
          aggregated_ || (expression.kind == Kind::kFunction &&
                          find_aggregator(expression.name_space, expression.name) != nullptr);
    });
    for (const Attribute& attribute : schema_.attributes()) {
      if (all || named.contains(attribute.name)) used_.push_back(attribute);
    }
  }

  bool is_output(const std::string& name) const {
    return std::any_of(select_.attributes.begin(), select_.attributes.end(),
                       [&name](const ast::OutputAttribute& output) { return output.name == name; });
  }

  bool folds() const { return aggregated_ || !select_.group_by.empty(); }

  ast::Plan step(const std::vector<Attribute>& attributes, ast::ExpressionPtr condition,
                 ast::Selector select) const {
    ast::StreamDefinition definition;
    definition.name = query_.store;
    for (const Attribute& attribute : attributes) {
      definition.attributes.push_back({attribute.name, attribute.type, {}});
    }
    ast::StreamSource source;
    source.location = query_.store_location;
    source.stream = query_.store;
    source.alias = query_.alias;
    if (condition) {
      ast::StreamHandler& filter = source.handlers.emplace_back();
      filter.location = condition->location;
      filter.filter = std::move(condition);
    }
    ast::Query query;
    query.location = query_.location;
    query.input = std::move(source);
    query.selector = std::move(select);
    query.output.kind = ast::OutputAction::Kind::kInsert;
    query.output.target = kOnDemandRows;
    query.output.location = query_.location;
    ast::Plan plan;
    plan.definitions.emplace_back(std::move(definition));
    plan.elements.emplace_back(std::move(query));
    return plan;
  }

  static ast::Selector select_columns(const std::vector<Attribute>& attributes) {
    ast::Selector select;
    select.star = false;
    for (const Attribute& attribute : attributes) {
      select.attributes.push_back(output_of(attribute.name, make_reference(attribute.name)));
    }
    return select;
  }

  /// What is selected, from which groups.
  ast::Selector copy_of_grouping() const {
    ast::Selector copy;
    copy.star = false;
    copy.location = select_.location;
    for (const ast::OutputAttribute& output : select_.attributes) {
      copy.attributes.push_back(output_of(output.name, copy_of(output.expression)));
      copy.attributes.back().location = output.location;
    }
    for (const ast::ExpressionPtr& key : select_.group_by) copy.group_by.push_back(copy_of(key));
    copy.having = copy_of(select_.having);
    return copy;
  }

  ast::Selector copy_of_select() const {
    ast::Selector copy = copy_of_grouping();
    for (const ast::OrderBy& order : select_.order_by) {
      copy.order_by.push_back({copy_of(order.expression), order.descending});
    }
    copy.limit = copy_of(select_.limit);
    copy.offset = copy_of(select_.offset);
    return copy;
  }

  /// Rows that `fold` puts out carry their group and what they are ordered by in further columns,
  /// whose names nobody can write.
  void plan_fold(OnDemandSteps& steps) {
    ast::Selector fold = copy_of_grouping();
    ast::Selector compact;
    ast::Selector finish;
    finish.star = false;
    for (const ast::OutputAttribute& output : select_.attributes) {
      finish.attributes.push_back(output_of(output.name, make_reference(output.name)));
    }
    auto carry = [&fold](const std::string& what, ast::ExpressionPtr expression) {
      std::string name = what + " " + std::to_string(fold.attributes.size());
      fold.attributes.push_back(output_of(name, std::move(expression)));
      return name;
    };
    auto add_key = [&](ast::ExpressionPtr expression) {
      std::string name = carry("group", std::move(expression));
      compact.group_by.push_back(make_reference(name));
      finish.group_by.push_back(make_reference(name));
    };
    for (const ast::ExpressionPtr& key : select_.group_by) add_key(copy_of(key));
    if (select_.group_by.empty()) add_key(make_constant(true));
    for (const ast::OrderBy& order : select_.order_by) {
      const ast::Reference& by = order.expression->reference;  // the grammar has nothing else here
      std::string name = by.attribute;
      if (!by.stream.empty() || !is_output(name)) name = carry("order", copy_of(order.expression));
      finish.order_by.push_back({make_reference(name), order.descending});
    }
    finish.limit = copy_of(select_.limit);
    finish.offset = copy_of(select_.offset);
    steps.fold = step(used_, nullptr, std::move(fold));
    steps.compact = step({}, nullptr, std::move(compact));
    steps.finish = step({}, nullptr, std::move(finish));
  }

  void report(const ast::Expression& at, std::string message, std::string expected) {
    diagnostics_.push_back({at.location, std::move(message), std::move(expected), {}});
  }

  /// Which buckets of an aggregation are wanted.
  void plan_buckets(OnDemandSteps& steps) {
    if (query_.within.empty() || !query_.per) {
      diagnostics_.push_back({query_.location,
                              "the buckets of aggregation '" + query_.store + "' are not named",
                              kAggregationReadForm,
                              {}});
      return;
    }
    AggregationTimes times(diagnostics_);
    std::vector<const Value*> bounds;
    bool constant = true;
    for (const ast::ExpressionPtr& bound : query_.within) {
      constant = constant && (bound->kind == Kind::kConstant || bound->kind == Kind::kTime);
      bounds.push_back(&bound->constant);
    }
    if (constant) {
      steps.time_range = times.range(bounds, query_.within[0]->location);
    } else {
      report(*query_.within[0], "the bounds of 'within' are not constant", kAggregationReadForm);
    }
    if (query_.per->kind == Kind::kConstant) {
      steps.per = times.unit(query_.per->constant, *units_, query_.per->location);
    } else {
      report(*query_.per, "'per' is not constant", kAggregationReadForm);
    }
  }

  std::optional<TimeRange> time_range() {
    if (query_.per) {
      report(*query_.per, "'per' is for aggregations", "a table, and 'within' without 'per'");
    }
    if (query_.within.empty()) return std::nullopt;
    if (query_.within.size() != 2) {
      report(*query_.within[0], "'within' has no end", "within <start>, <end>");
      return std::nullopt;
    }
    std::optional<int64_t> from = time_of(*query_.within[0]);
    std::optional<int64_t> to = time_of(*query_.within[1]);
    if (!from || !to) return std::nullopt;
    return TimeRange{*from, *to};
  }

  std::optional<int64_t> time_of(const ast::Expression& expression) {
    if (expression.kind == Kind::kConstant) {
      if (const auto* number = std::get_if<int64_t>(&expression.constant)) return *number;
      if (const auto* number = std::get_if<int32_t>(&expression.constant)) return *number;
      if (const auto* text = std::get_if<std::string>(&expression.constant)) {
        if (auto time = parse_time_text(*text)) return time;
      }
    }
    report(expression, "the bounds of 'within' are constant times",
           "milliseconds such as 1700000000000L, or 'yyyy-MM-dd HH:mm:ss' in UTC, or with an "
           "offset behind it such as +05:30");
    return std::nullopt;
  }

  /// What a row of the store must meet; null when it is nothing.
  ast::ExpressionPtr condition_for(const std::optional<TimeRange>& range) {
    ast::ExpressionPtr condition = std::move(query_.on);
    if (!range) return condition;
    auto time = [] {
      ast::ExpressionPtr call = make_expression(Kind::kFunction, {});
      call->name = "eventTimestamp";
      return call;
    };
    ast::ExpressionPtr within = make_binary(
        Kind::kAnd, make_binary(Kind::kGreaterEqual, time(), make_constant(range->from_ms)),
        make_binary(Kind::kLess, time(), make_constant(range->to_ms)));
    if (!condition) return within;
    return make_binary(Kind::kAnd, std::move(within), std::move(condition));
  }

  std::vector<KeyEquality> equalities() const {
    std::vector<KeyEquality> found;
    if (!query_.on) return found;
    std::vector<const ast::Expression*> parts;
    split_conjunction(*query_.on, parts);
    for (const ast::Expression* part : parts) {
      if (part->kind != Kind::kEqual) continue;
      const ast::Expression* column = part->arguments[0].get();
      const ast::Expression* value = part->arguments[1].get();
      if (column->kind != Kind::kReference) std::swap(column, value);
      if (column->kind != Kind::kReference || value->kind != Kind::kConstant) continue;
      const std::string& stream = column->reference.stream;
      std::optional<size_t> at = schema_.find(column->reference.attribute);
      bool own = stream.empty() || stream == query_.store || stream == query_.alias;
      if (!own || !at) continue;
      if (auto key = key_value(value->constant, schema_[*at].type)) {
        found.push_back({column->reference.attribute, std::move(*key)});
      }
    }
    return found;
  }

  /// The one value of the column's type that equals the constant, if there is exactly one.
  static std::optional<Value> key_value(const Value& constant, AttributeType type) {
    switch (type) {
      case AttributeType::kString:
        if (std::holds_alternative<std::string>(constant)) return constant;
        break;
      case AttributeType::kBool:
        if (std::holds_alternative<bool>(constant)) return constant;
        break;
      case AttributeType::kInt:
        if (std::holds_alternative<int32_t>(constant)) return constant;
        break;
      case AttributeType::kLong:
        if (std::holds_alternative<int64_t>(constant)) return constant;
        if (const auto* number = std::get_if<int32_t>(&constant)) return int64_t{*number};
        break;
      default:
        break;
    }
    return std::nullopt;
  }

  static uint64_t whole_number(const ast::ExpressionPtr& expression) {
    if (!expression) return 0;
    int64_t value = 0;
    if (const auto* number = std::get_if<int32_t>(&expression->constant)) value = *number;
    if (const auto* number = std::get_if<int64_t>(&expression->constant)) value = *number;
    return static_cast<uint64_t>(std::max<int64_t>(value, 0));
  }

  ast::OnDemandQuery query_;
  const Schema& schema_;
  const std::vector<CalendarUnit>* units_;
  Diagnostics& diagnostics_;
  ast::Selector select_;
  std::vector<Attribute> used_;  ///< what is read of a row that meets the condition
  bool aggregated_ = false;
};

}  // namespace

OnDemandSteps plan_on_demand(ast::OnDemandQuery query, const Schema& schema,
                             const std::vector<CalendarUnit>* units, Diagnostics& diagnostics) {
  return OnDemandPlanner(std::move(query), schema, units, diagnostics).plan();
}

void set_rows(ast::Plan& step, const Schema& schema) {
  auto& definition = std::get<ast::StreamDefinition>(step.definitions.front());
  definition.attributes.clear();
  for (const Attribute& attribute : schema.attributes()) {
    definition.attributes.push_back({attribute.name, attribute.type, {}});
  }
}

}  // namespace pollux
