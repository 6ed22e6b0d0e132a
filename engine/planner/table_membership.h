// `condition in Table`: whether any row of the table meets the condition.
#pragma once

#include <string>

#include "engine/planner/expression_binder.h"

namespace pollux {

/// The condition sees the names of `scope` and, before them, the table's own. Null after errors.
ExpressionPtr bind_table_membership(const ast::Expression& condition, Table& table,
                                    const std::string& table_name, Scope& scope,
                                    PlanContext& context, TableCatalogue& tables,
                                    Diagnostics& diagnostics);

}  // namespace pollux
