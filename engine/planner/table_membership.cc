#include "engine/planner/table_membership.h"

#include <algorithm>
#include <utility>

namespace pollux {
namespace {

/// The table's attributes by its name, everything else by the scope around.
class MembershipScope final : public Scope {
 public:
  MembershipScope(std::string table_name, SchemaPtr table, Scope& around)
      : table_name_(std::move(table_name)), table_(std::move(table)), around_(around) {}

  NameResult attribute(const ast::Reference& reference) override {
    if (reference.stream == table_name_) return column(reference.attribute);
    NameResult result = around_.attribute(reference);
    bool bare = reference.stream.empty();
    if (bare && std::holds_alternative<NameError>(result) && table_->find(reference.attribute)) {
      return column(reference.attribute);
    }
    return result;
  }
  NameResult absence(const ast::Reference& reference) override {
    return around_.absence(reference);
  }

  bool is_table(const ast::Reference& reference) {
    if (!reference.stream.empty()) return reference.stream == table_name_;
    return table_->find(reference.attribute) &&
           std::holds_alternative<NameError>(around_.attribute(reference));
  }

 private:
  NameResult column(const std::string& name) {
    std::optional<size_t> index = table_->find(name);
    if (!index) {
      std::vector<std::string> known;
      for (const Attribute& attribute : table_->attributes()) known.push_back(attribute.name);
      std::string near = nearest_name(name, known);
      return NameError{"table '" + table_name_ + "' has no attribute '" + name + "'",
                       "an attribute of the table",
                       near.empty() ? "" : "did you mean '" + near + "'?"};
    }
    return ExpressionPtr(std::make_shared<ColumnExpression>(
        (*table_)[*index].type, SearchSource::kHeld, static_cast<uint32_t>(*index)));
  }

  std::string table_name_;
  SchemaPtr table_;
  Scope& around_;
};

class TableMembership final : public Expression {
 public:
  TableMembership(Table& table, SearchCondition condition, PlanContext& context)
      : Expression(AttributeType::kBool), search_(table, std::move(condition), context) {}

  Vec evaluate(const Frame& frame) override {
    const FrameSource& source = frame.sources[SearchSource::kRow];
    auto* to = buffer_.values<uint8_t>(frame.rows);
    std::fill(to, to + frame.rows, 0);
    Chunk chunk;
    chunk.batch = source.batch;
    chunk.rows = frame.rows;
    chunk.index = source.rows;
    chunk.begin = source.begin;
    matches_.clear();
    search_.find(chunk, matches_);
    for (const Match& match : matches_) to[match.row] = 1;
    Vec vec;
    vec.type = AttributeType::kBool;
    vec.data = to;
    return vec;
  }

 private:
  TableSearch search_;
  std::vector<Match> matches_;
  VecBuffer buffer_;
};

}  // namespace

ExpressionPtr bind_table_membership(const ast::Expression& condition, Table& table,
                                    const std::string& table_name, Scope& scope,
                                    PlanContext& context, TableCatalogue& tables,
                                    Diagnostics& diagnostics) {
  MembershipScope inside(table_name, table.schema(), scope);
  auto search = bind_table_condition(
      &condition, table, [&](const ast::Reference& name) { return inside.is_table(name); }, inside,
      context, tables, diagnostics);
  if (!search) return nullptr;
  return std::make_shared<TableMembership>(table, std::move(*search), context);
}

}  // namespace pollux
