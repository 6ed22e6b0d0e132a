#include "engine/planner/held_condition_binder.h"

#include <algorithm>
#include <utility>

#include "engine/language/parser.h"
#include "engine/planner/expression_binder.h"

namespace pollux {
namespace {

/// A condition over held rows looks into no tables.
class NoTables final : public TableCatalogue {
 public:
  Table* find_table(const std::string&) override { return nullptr; }
  std::vector<std::string> table_names() const override { return {}; }
  void note_access(const std::string&) override {}
  ScriptFunctions* scripts() override { return nullptr; }
};

/// Bare attributes are those of the row that comes or goes; `first` and `last` are the ends of what
/// is held.
class HeldScope final : public Scope {
 public:
  HeldScope(const std::vector<std::string>& names, const SchemaPtr& schema)
      : row_({{names, schema, HeldSource::kRow, 0}}),
        first_({{{"first"}, schema, HeldSource::kFirst, 0}}),
        last_({{{"last"}, schema, HeldSource::kLast, 0}}) {}

  NameResult attribute(const ast::Reference& reference) override {
    if (reference.stream == "first") return first_.attribute(reference);
    if (reference.stream == "last") return last_.attribute(reference);
    return row_.attribute(reference);
  }

  NameResult timestamp(const ast::Reference& reference) override {
    const std::string& name = reference.stream.empty() ? reference.attribute : reference.stream;
    uint32_t source = name == "first" ? HeldSource::kFirst : HeldSource::kLast;
    if (name != "first" && name != "last") {
      return NameError{"'" + name + "' is no event of the window", "first or last", ""};
    }
    return ExpressionPtr(std::make_shared<TimestampExpression>(source));
  }

  bool has_row_source() const override { return false; }

  std::vector<uint32_t> columns() const {
    std::vector<uint32_t> columns;
    for (uint32_t c = 0; c < row_.used(0).size(); ++c) {
      if (row_.used(0)[c] || first_.used(0)[c] || last_.used(0)[c]) columns.push_back(c);
    }
    return columns;
  }

 private:
  SourcesScope row_, first_, last_;
};

}  // namespace

std::unique_ptr<HeldCondition> HeldConditionBinder::make(std::string_view text) {
  Diagnostics unheard;  // nobody is there to hear: the row goes
  return bind(text, {}, unheard);
}

std::unique_ptr<HeldCondition> HeldConditionBinder::bind(std::string_view text, const Location& at,
                                                         Diagnostics& diagnostics) {
  ExpressionResult parsed = parse_expression(text);
  std::unique_ptr<HeldCondition> condition;
  if (parsed.expression) condition = bind(*parsed.expression, parsed.diagnostics);
  for (Diagnostic& diagnostic : parsed.diagnostics) {
    Location& place = diagnostic.location;
    if (place.line == 1) place.column += at.column;  // behind the quote
    place.line += at.line - 1;
    diagnostics.push_back(std::move(diagnostic));
  }
  return condition;
}

std::unique_ptr<HeldCondition> HeldConditionBinder::bind(const ast::Expression& condition,
                                                         Diagnostics& diagnostics) {
  HeldScope scope(names_, schema_);
  NoTables tables;
  HeldCondition::Plan plan;
  plan.schema = schema_;
  ExpressionBinder binder(scope, context_, tables, diagnostics);
  binder.allow_aggregates(plan.aggregates, true);
  plan.condition = binder.bind_condition(condition, "the window's expression");
  if (!plan.condition) return nullptr;
  plan.columns = scope.columns();
  return std::make_unique<HeldCondition>(std::move(plan));
}

}  // namespace pollux
