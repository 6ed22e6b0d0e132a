// What a plan's text says beside its queries: names, descriptions, sources and sinks.
#pragma once

#include "engine/language/ast.h"
#include "engine/runtime/plan_description.h"

namespace pollux {

/// The part of a description that stands in the text; what changes while a plan runs stays empty.
PlanDescription describe_tree(const ast::Plan& tree);

}  // namespace pollux
