#include "engine/planner/timeless.h"

#include <algorithm>

#include "engine/expression/function_registry.h"

namespace pollux {

bool is_timeless(const ast::Expression& expression) {
  if (expression.kind == ast::Expression::Kind::kIn) return false;
  if (expression.kind == ast::Expression::Kind::kFunction) {
    const FunctionEntry* function = find_function(expression.name_space, expression.name);
    if (function != nullptr && function->reads_clock) return false;
  }
  return std::all_of(expression.arguments.begin(), expression.arguments.end(),
                     [](const ast::ExpressionPtr& argument) { return is_timeless(*argument); });
}

bool is_timeless(const ast::Selector& selector) {
  auto timeless = [](const ast::ExpressionPtr& part) { return !part || is_timeless(*part); };
  return timeless(selector.having) &&
         std::all_of(selector.group_by.begin(), selector.group_by.end(), timeless) &&
         std::all_of(selector.attributes.begin(), selector.attributes.end(),
                     [](const ast::OutputAttribute& attribute) {
                       return is_timeless(*attribute.expression);
                     });
}

}  // namespace pollux
