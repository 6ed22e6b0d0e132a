#include "engine/runtime/table_write.h"

#include <memory>
#include <utility>
#include <vector>

#include "engine/language/parser.h"
#include "engine/planner/plan_builder.h"

namespace pollux {
namespace {

constexpr const char* kRow = "the written row";

/// What changes the tables is a plan of its own for a moment, with one event that has no
/// attributes. It has the tables while this lives.
class BorrowedTables {
 public:
  BorrowedTables(Plan& from, Plan& to) : from_(from), to_(to) {
    from_.all_tables().swap(to_.all_tables());
  }
  ~BorrowedTables() { from_.all_tables().swap(to_.all_tables()); }
  BorrowedTables(const BorrowedTables&) = delete;
  BorrowedTables& operator=(const BorrowedTables&) = delete;

 private:
  Plan& from_;
  Plan& to_;
};

ast::Plan tree_of(ast::OnDemandQuery written) {
  ast::StreamSource source;
  source.stream = kRow;
  source.location = written.location;
  ast::Query query;
  query.location = written.location;
  query.input = std::move(source);
  if (written.selector) query.selector = std::move(*written.selector);
  query.output = std::move(written.output);
  ast::Plan tree;
  tree.elements.emplace_back(std::move(query));
  return tree;
}

}  // namespace

Diagnostics write_to_tables(Plan& plan, std::string_view text, EntryId entry, int64_t now_ms) {
  OnDemandResult parsed = parse_on_demand_query(text);
  if (!parsed.diagnostics.empty()) return std::move(parsed.diagnostics);
  if (parsed.query.kind == ast::OnDemandQuery::Kind::kFind) {
    return {{parsed.query.location,
             "a query that changes nothing",
             "insert, delete, update, or update or insert",
             {}}};
  }
  bool streams = plan.all_tables().find(parsed.query.output.target) == plan.all_tables().end();
  if (streams && parsed.query.kind == ast::OnDemandQuery::Kind::kInsert) {
    return {{parsed.query.output.location,
             "'" + parsed.query.output.target + "' is no table",
             "a table of the plan",
             {}}};
  }
  Plan writer(plan.name());
  auto nothing = std::make_shared<Schema>(kRow, std::vector<Attribute>{});
  Plan::Stream& row = writer.add_stream(nothing, true);
  BorrowedTables tables(plan, writer);
  Diagnostics wrong = build_into(tree_of(std::move(parsed.query)), writer);
  if (!wrong.empty()) return wrong;
  EventBatch event(nothing);
  event.end_row(now_ms);
  writer.begin_entry(entry);
  writer.apply_chunk(*row.junction, event, now_ms);
  plan.context().counts().rows_refused += writer.context().counts().rows_refused;
  return {};
}

}  // namespace pollux
