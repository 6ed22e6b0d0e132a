// Windows: the parameters of those that take more than an extent.
#include <utility>

#include "engine/planner/held_condition_binder.h"
#include "engine/planner/query_planner.h"

namespace pollux {
namespace {

using Kind = WindowPlan::Kind;

}  // namespace

bool QueryPlanner::window_flag(const ast::Expression& argument, const char* what, bool& value) {
  if (const auto* flag = std::get_if<bool>(&argument.constant)) {
    value = *flag;
    return true;
  }
  report(argument.location, std::string("the window's ") + what + " is no constant bool",
         "true or false");
  return false;
}

/// lengthBatch, timeBatch, batch: [start,] [stream.current.event].
bool QueryPlanner::window_batch_options(const ast::StreamHandler& handler, const Arguments& options,
                                        WindowPlan& window) {
  bool good = true;
  for (size_t i = 0; i < options.size(); ++i) {
    const ast::Expression& option = *options[i];
    if (std::holds_alternative<bool>(option.constant) && window.row_keys.empty()) {
      window.stream_current = std::get<bool>(option.constant);
    } else if (i == 0 && window.kind == Kind::kTimeBatch) {
      window.has_start = true;
      good = window_number(option, "start", window.start_ms) && good;
    } else {
      report(option.location, "a parameter that window '" + handler.name + "' does not take",
             window.kind == Kind::kLengthBatch ? "a bool"
                                               : "constants as the window's reference says");
      good = false;
    }
  }
  return good;
}

/// externalTimeBatch: [start [, timeout [, replace.with.batchtime]]].
bool QueryPlanner::window_external_options(const Arguments& options, Scope& scope,
                                           WindowPlan& window) {
  bool good = true;
  if (!options.empty() && options[0]->kind == ast::Expression::Kind::kReference) {
    ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
    window.start_attribute = binder.bind(*options[0]);
    auto* column = dynamic_cast<ColumnExpression*>(window.start_attribute.get());
    if (column == nullptr) return false;
    window.own_columns.push_back(column->column());
    if (column->type() != AttributeType::kLong) {
      report(options[0]->location, "the window's start is no long", "a long attribute or constant");
      good = false;
    }
  } else if (!options.empty()) {
    window.has_start = true;
    good = window_number(*options[0], "start", window.start_ms);
  }
  if (options.size() > 1) {
    const auto* never = std::get_if<int32_t>(&options[1]->constant);
    if (never == nullptr || *never >= 0) {  // below 0: there is none
      good = window_number(*options[1], "timeout", window.timeout_ms) && good;
    }
  }
  if (options.size() > 2) {
    bool replace = false;
    good = window_flag(*options[2], "replacing by the batch's time", replace) && good;
    auto* time = dynamic_cast<ColumnExpression*>(window.time.get());
    if (time != nullptr && replace) {
      window.replace_column = static_cast<int32_t>(time->column());
      window.own_columns.push_back(time->column());
    }
  }
  return good;
}

/// What tells rows apart: attributes, or expressions over them.
bool QueryPlanner::window_keys(const Arguments& keys, Scope& scope, WindowPlan& window) {
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  bool good = true;
  for (const ast::Expression* key : keys) {
    ExpressionPtr bound = binder.bind(*key);
    good = good && bound != nullptr;
    if (bound == nullptr) continue;
    if (bound->constant() != nullptr || bound->type() == AttributeType::kObject) {
      report(key->location, "this tells no rows apart",
             "an attribute of a plain type, or an expression over attributes");
      good = false;
    }
    window.row_keys.push_back(std::move(bound));
  }
  return good;
}

bool QueryPlanner::window_share(const ast::Expression& argument, const char* what, double& value) {
  bool number = true;
  if (const auto* exact = std::get_if<double>(&argument.constant)) {
    value = *exact;
  } else if (const auto* shorter = std::get_if<float>(&argument.constant)) {
    value = static_cast<double>(*shorter);
  } else if (const auto* whole = std::get_if<int32_t>(&argument.constant)) {
    value = *whole;
  } else {
    number = false;
  }
  if (number && value >= 0 && value <= 1) return true;
  report(argument.location, std::string("the window's ") + what + " is no share of all rows",
         "a constant from 0 to 1, such as 0.1");
  return false;
}

/// frequent(n, keys), lossyFrequent(support, error, keys); without keys all attributes count.
bool QueryPlanner::window_counting(const Arguments& arguments, Scope& scope, WindowPlan& window) {
  bool good = true;
  size_t first_key = 1;
  if (window.kind == Kind::kFrequent) {
    good = window_number(*arguments[0], "number of keys", window.extent);
  } else {
    good = window_share(*arguments[0], "support", window.support);
    constexpr double kUsualError = 10;  // the part of the support
    window.error = window.support / kUsualError;
    if (arguments.size() > 1) {
      first_key = 2;
      good = window_share(*arguments[1], "error", window.error) && good;
    }
  }
  if (arguments.size() > first_key) {
    Arguments keys(arguments.begin() + static_cast<std::ptrdiff_t>(first_key), arguments.end());
    return window_keys(keys, scope, window) && good;
  }
  for (const Attribute& attribute : window.schema->attributes()) {
    ast::Reference reference;
    reference.attribute = attribute.name;
    if (attribute.type == AttributeType::kObject) continue;
    window.row_keys.push_back(std::get<ExpressionPtr>(scope.attribute(reference)));
  }
  return good;
}

/// session(gap [, key [, allowed.latency]]).
bool QueryPlanner::window_session(const Arguments& arguments, Scope& scope, WindowPlan& window) {
  bool good = window_number(*arguments[0], "gap", window.extent);
  if (good && window.extent == 0) {
    report(arguments[0]->location, "the window's gap is 0", "more than 0 milliseconds");
    good = false;
  }
  if (arguments.size() > 1) {
    const ast::Expression& key = *arguments[1];
    if (key.kind != ast::Expression::Kind::kReference) {
      report(key.location, "the session's key is no attribute", "a string attribute");
      good = false;
    } else if (!window_keys({&key}, scope, window)) {
      good = false;
    } else if (window.row_keys[0]->type() != AttributeType::kString) {
      report(key.location,
             "the session's key is of type " + std::string(name_of(window.row_keys[0]->type())),
             "a string attribute");
      good = false;
    }
  }
  if (arguments.size() > 2) {
    if (!window_number(*arguments[2], "allowed latency", window.latency_ms)) return false;
    if (good && window.latency_ms > window.extent) {
      report(arguments[2]->location, "the allowed latency is longer than the gap",
             "no more than the gap");
      good = false;
    }
  }
  return good;
}

/// expression(text), expressionBatch(text or condition [, include [, stream.current.event]]): the
/// text is a constant, or an attribute that brings it row by row.
bool QueryPlanner::window_expression(const Arguments& arguments, Scope& scope, WindowPlan& window) {
  const ast::Expression& what = *arguments[0];
  bool batch = window.kind == Kind::kExpressionBatch;
  PlanContext& context = plan_.context();
  auto& conditions = plan_.own(std::make_unique<HeldConditionBinder>(
      std::vector<std::string>{window.schema->name()}, window.schema, context));
  ExpressionBinder binder(scope, context, *this, diagnostics_);
  bool good = true;
  if (const auto* text = std::get_if<std::string>(&what.constant)) {
    window.condition = conditions.bind(*text, what.location, diagnostics_);
    good = window.condition != nullptr;
  } else if (ExpressionPtr bound = binder.bind(what); bound == nullptr) {
    good = false;
  } else if (bound->type() == AttributeType::kString) {
    window.condition_text = std::move(bound);
    window.conditions = &conditions;
  } else if (batch && bound->type() == AttributeType::kBool) {
    window.condition = conditions.bind(what, diagnostics_);
    good = window.condition != nullptr;
  } else {
    report(what.location,
           "the window's expression is of type " + std::string(name_of(bound->type())),
           "a text such as 'count() <= 20', or a string attribute");
    good = false;
  }
  if (window.condition) window.own_columns = window.condition->columns();
  if (arguments.size() > 1) {
    window.include_last = binder.bind_condition(*arguments[1], "including the last event");
    good = good && window.include_last != nullptr;
  }
  if (arguments.size() > 2) {
    good = window_flag(*arguments[2], "stream.current.event", window.stream_current) && good;
  }
  bool reads_rows =
      window.condition_text || (window.include_last && window.include_last->constant() == nullptr);
  for (uint32_t c = 0; reads_rows && c < window.schema->size(); ++c) {
    window.own_columns.push_back(c);
  }
  return good;
}

}  // namespace pollux
