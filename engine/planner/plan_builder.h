// From a plan's text to a plan that takes entries.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/language/dialect.h"
#include "engine/runtime/plan.h"

namespace pollux {

struct BuiltPlan {
  std::unique_ptr<Plan> plan;  ///< null when there are diagnostics
  Diagnostics diagnostics;     ///< everything that is wrong, in order of place
};

struct BuildOptions {
  /// Which streams are results; null: every stream that a query inserts into.
  std::function<bool(std::string_view plan, std::string_view stream)> is_result;
  FlowObserver* observer = nullptr;
  PlanLog* log = nullptr;
  Dialect dialect = Dialect::k51;      ///< of texts that do not say it
  ScriptFunctions* scripts = nullptr;  ///< of another plan, callable in this one; outlive it
};

/// Parses and binds. `default_name` is the plan's name when the text gives none.
BuiltPlan build_plan(std::string_view text, const std::string& default_name,
                     const BuildOptions& options);
/// Binds a tree.
BuiltPlan build_plan(const ast::Plan& tree, const std::string& default_name,
                     const BuildOptions& options);

/// Binds the queries of a tree into a plan that has streams and tables already. Returns what is
/// wrong.
Diagnostics build_into(const ast::Plan& tree, Plan& plan);

}  // namespace pollux
