// From the tree of an expression to one that can be evaluated: names resolved, types checked.
//
// Errors go to the diagnostics, all of them; a failed expression is a null pointer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/expression/expression.h"
#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/aggregator_table.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/search.h"
#include "engine/operators/selector.h"
#include "engine/planner/scope.h"
#include "engine/script/script_functions.h"

namespace pollux {

/// What a plan offers to its expressions: tables by name, and functions of its own.
class TableCatalogue {
 public:
  virtual ~TableCatalogue() = default;
  virtual Table* find_table(const std::string& name) = 0;
  virtual std::vector<std::string> table_names() const = 0;
  /// Its rows are looked up before an event is processed, and only for joins.
  virtual bool is_external(const std::string& /*name*/) const { return false; }
  /// Null when the plan defines no functions.
  virtual ScriptFunctions* scripts() = 0;
  /// A query reads or writes the table.
  virtual void note_access(const std::string& name) = 0;
};

class ExpressionBinder {
 public:
  ExpressionBinder(Scope& scope, PlanContext& context, TableCatalogue& tables,
                   Diagnostics& diagnostics)
      : scope_(scope), context_(context), tables_(tables), diagnostics_(diagnostics) {}

  /// Aggregate functions are allowed from here on and collected in `aggregates`. `in_order`: rows
  /// leave them in the order in which they came.
  void allow_aggregates(std::vector<SelectorPlan::Aggregate>& aggregates, bool in_order) {
    aggregates_ = &aggregates;
    in_order_ = in_order;
  }

  ExpressionPtr bind(const ast::Expression& expression);
  /// A filter or other condition: must be a bool.
  ExpressionPtr bind_condition(const ast::Expression& expression, const std::string& what);

 private:
  using Operands = std::vector<ExpressionPtr>;

  ExpressionPtr fail(const Location& location, std::string message, std::string expected = {},
                     std::string hint = {});
  ExpressionPtr resolved(NameResult result, const Location& location);
  ExpressionPtr bind_operator(const ast::Expression& expression);
  ExpressionPtr bind_comparison(const ast::Expression& expression, Operands operands);
  ExpressionPtr bind_is_null(const ast::Expression& expression);
  ExpressionPtr bind_in(const ast::Expression& expression);
  ExpressionPtr bind_function(const ast::Expression& expression);
  /// The arguments of a call; false after errors.
  bool bind_arguments(const ast::Expression& call, Operands& arguments);
  ExpressionPtr bind_aggregate(const ast::Expression& expression, const AggregatorEntry& entry);

  Scope& scope_;
  PlanContext& context_;
  TableCatalogue& tables_;
  Diagnostics& diagnostics_;
  std::vector<SelectorPlan::Aggregate>* aggregates_ = nullptr;
  bool in_order_ = true;
};

/// Tells whether a reference means an attribute of the table that is searched.
using IsTableReference = std::function<bool(const ast::Reference&)>;

/// A condition over the row that searches (source kRow) and a table's rows (source kHeld), split
/// into what an index answers and the rest. Null after errors.
std::unique_ptr<SearchCondition> bind_table_condition(
    const ast::Expression* condition, const Table& table, const IsTableReference& is_table,
    Scope& scope, PlanContext& context, TableCatalogue& tables, Diagnostics& diagnostics);

/// The parts of `a and b and c`.
void split_conjunction(const ast::Expression& expression,
                       std::vector<const ast::Expression*>& parts);

}  // namespace pollux
