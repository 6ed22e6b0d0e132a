// On-demand queries: asked once of a table, a named window or an aggregation.
#include <utility>

#include "engine/language/parser.h"
#include "engine/language/parser_state.h"

namespace pollux {

OnDemandResult parse_on_demand_query(std::string_view text) {
  Parser parser(text);
  OnDemandResult result;
  result.query = parser.on_demand_query();
  result.diagnostics = parser.take_diagnostics();
  return result;
}

ast::OnDemandQuery Parser::on_demand_query() {
  ast::OnDemandQuery out;
  if (on_demand(out)) {
    accept_symbol(";");
    if (!at(TokenKind::kEnd)) fail("the end of the query");
  }
  return out;
}

bool Parser::on_demand(ast::OnDemandQuery& out) {
  using Kind = ast::OnDemandQuery::Kind;
  out.location = peek().location;
  repair({Keyword::kFrom, Keyword::kSelect, Keyword::kDelete, Keyword::kUpdate});
  if (at(Keyword::kFrom)) return on_demand_find(out);
  if (at(Keyword::kSelect) && !selector(out.selector.emplace())) return false;
  constexpr const char* kExpected = "'from', 'select', 'insert into', 'delete' or 'update'";
  if (!at_any({Keyword::kInsert, Keyword::kDelete, Keyword::kUpdate})) return fail(kExpected);
  Location action = peek().location;
  if (!output_action(out.output)) return false;
  switch (out.output.kind) {
    case ast::OutputAction::Kind::kInsert:
      out.kind = Kind::kInsert;
      break;
    case ast::OutputAction::Kind::kDelete:
      out.kind = Kind::kDelete;
      break;
    case ast::OutputAction::Kind::kUpdate:
      out.kind = Kind::kUpdate;
      break;
    case ast::OutputAction::Kind::kUpdateOrInsert:
      out.kind = Kind::kUpdateOrInsert;
      break;
    case ast::OutputAction::Kind::kReturn:
    case ast::OutputAction::Kind::kNone:
      return fail(kExpected);
  }
  bool needs_selection = out.kind == Kind::kInsert || out.kind == Kind::kUpdateOrInsert;
  if (needs_selection && !out.selector) {
    report(action, "nothing is selected", "'select' before the insert", "");
  }
  return true;
}

bool Parser::on_demand_find(ast::OnDemandQuery& out) {
  if (!expect(Keyword::kFrom) || at_clause()) return fail("a table, window or aggregation");
  out.store_location = peek().location;
  if (!name(out.store, "a table, window or aggregation")) return false;
  if (accept(Keyword::kAs) && !name(out.alias, "the alias")) return false;
  if (at_symbol("[")) {
    return fail("'on', 'select' or the end",
                "here a condition stands behind 'on', as in: on a > 1");
  }
  repair({Keyword::kSelect, Keyword::kWithin});
  if (accept(Keyword::kOn) && !expression_into(out.on)) return false;
  repair({Keyword::kSelect, Keyword::kWithin});
  if (accept(Keyword::kWithin)) {
    if (!within_range(out.within)) return false;
    if (accept(Keyword::kPer) && !expression_into(out.per)) return false;
  }
  repair({Keyword::kSelect});
  return !at(Keyword::kSelect) || selector(out.selector.emplace());
}

}  // namespace pollux
