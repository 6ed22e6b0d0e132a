// From a plan's text to a plan that takes entries.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/language/diagnostics.h"
#include "engine/runtime/plan.h"

namespace pollux {

struct BuiltPlan {
  std::unique_ptr<Plan> plan;  ///< null when there are diagnostics
  Diagnostics diagnostics;     ///< everything that is wrong, in order of place
};

/// Parses and binds. `default_name` is the plan's name when the text gives none.
BuiltPlan build_plan(
    std::string_view text, const std::string& default_name,
    const std::function<bool(std::string_view plan, std::string_view stream)>& is_result);

}  // namespace pollux
