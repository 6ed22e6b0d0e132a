// From the text of an expression window's condition to one that can be asked: parsed, its names
// resolved, its types checked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/held_condition.h"
#include "engine/operators/plan_context.h"

namespace pollux {

class HeldConditionBinder final : public HeldConditions {
 public:
  /// `names`: what the window's stream is called.
  HeldConditionBinder(std::vector<std::string> names, SchemaPtr schema, PlanContext& context)
      : names_(std::move(names)), schema_(std::move(schema)), context_(context) {}

  std::unique_ptr<HeldCondition> make(std::string_view text) override;
  /// Errors are placed in the plan, where the text stands at `at`. Null after errors.
  std::unique_ptr<HeldCondition> bind(std::string_view text, const Location& at,
                                      Diagnostics& diagnostics);
  /// A condition that stands in the plan itself. Null after errors.
  std::unique_ptr<HeldCondition> bind(const ast::Expression& condition, Diagnostics& diagnostics);

 private:
  std::vector<std::string> names_;
  SchemaPtr schema_;
  PlanContext& context_;
};

}  // namespace pollux
