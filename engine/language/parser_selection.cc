// select .. group by .. having .. order by .. limit .. offset, output .. every .., and the actions.
#include <algorithm>
#include <memory>
#include <utility>

#include "engine/language/parser_state.h"

namespace pollux {
namespace {

using Action = ast::OutputAction::Kind;
using Events = ast::OutputAction::Events;

/// The clauses behind the selected attributes, in the order in which they stand.
constexpr std::initializer_list<Keyword> kClauses = {
    Keyword::kGroup, Keyword::kHaving, Keyword::kOrder, Keyword::kLimit, Keyword::kOffset};

constexpr std::initializer_list<Keyword> kBehindAttributes = {
    Keyword::kGroup,  Keyword::kHaving, Keyword::kOrder,    Keyword::kLimit,
    Keyword::kOffset, Keyword::kOutput, Keyword::kInsert,   Keyword::kDelete,
    Keyword::kUpdate, Keyword::kReturn, Keyword::kAggregate};

constexpr const char* kActionExpected = "'insert into', 'delete', 'update', 'return' or ';'";

}  // namespace

// ---- selection ----

bool Parser::selector(ast::Selector& out) {
  out.location = peek().location;
  if (!expect(Keyword::kSelect)) return false;
  if (!accept_symbol("*")) {
    out.star = false;
    do {
      if (!output_attribute(out.attributes.emplace_back())) return false;
    } while (accept_symbol(","));
  }
  return selector_clauses(out);
}

bool Parser::output_attribute(ast::OutputAttribute& out) {
  out.location = peek().location;
  if (!expression_into(out.expression)) return false;
  // A misspelt clause is nearer to the clauses than to `as`.
  repair(kBehindAttributes);
  if (!at(Keyword::kAs)) repair({Keyword::kAs});
  if (accept(Keyword::kAs)) return name(out.name, "the attribute's new name");
  if (out.expression->kind == ast::Expression::Kind::kReference) return true;
  return fail("an operator or 'as'", "what is computed needs a name: write '.. as name'");
}

bool Parser::selector_clauses(ast::Selector& out) {
  const Keyword* last = nullptr;
  for (;;) {
    repair(kBehindAttributes);
    const Keyword* found = std::find(kClauses.begin(), kClauses.end(), peek().keyword);
    if (found == kClauses.end()) return true;
    if (last != nullptr && found <= last) {
      report(peek().location, "unexpected " + in_quotes(peek().text), "another order of clauses",
             "'group by', 'having', 'order by', 'limit', 'offset' stand in this order, each once");
    }
    last = found;
    if (!selector_clause(out)) return false;
  }
}

bool Parser::selector_clause(ast::Selector& out) {
  if (accept(Keyword::kHaving)) return expression_into(out.having);
  if (accept(Keyword::kLimit)) return expression_into(out.limit);
  if (accept(Keyword::kOffset)) return expression_into(out.offset);
  if (accept(Keyword::kOrder)) return order_by(out);
  if (!expect(Keyword::kGroup) || !expect(Keyword::kBy)) return false;
  do {
    auto key = std::make_unique<ast::Expression>();
    key->kind = ast::Expression::Kind::kReference;
    key->location = peek().location;
    if (at_clause()) return fail("an attribute");
    if (!attribute_reference(key->reference)) return false;
    out.group_by.push_back(std::move(key));
  } while (accept_symbol(","));
  return true;
}

bool Parser::order_by(ast::Selector& out) {
  if (!expect(Keyword::kBy)) return false;
  do {
    ast::OrderBy& key = out.order_by.emplace_back();
    key.expression = std::make_unique<ast::Expression>();
    key.expression->kind = ast::Expression::Kind::kReference;
    key.expression->location = peek().location;
    if (at_clause()) return fail("an attribute");
    if (!attribute_reference(key.expression->reference)) return false;
    repair({Keyword::kAsc, Keyword::kDesc});
    key.descending = at(Keyword::kDesc);
    if (at_any({Keyword::kAsc, Keyword::kDesc})) skip();
  } while (accept_symbol(","));
  return true;
}

// ---- rate ----

bool Parser::output_rate(ast::OutputRate& out) {
  out.location = peek().location;
  if (!expect(Keyword::kOutput)) return false;
  repair({Keyword::kAll, Keyword::kFirst, Keyword::kLast, Keyword::kSnapshot, Keyword::kEvery});
  bool snapshot = at(Keyword::kSnapshot);
  if (at(Keyword::kFirst)) out.which = ast::OutputRate::Which::kFirst;
  if (at(Keyword::kLast)) out.which = ast::OutputRate::Which::kLast;
  if (at_any({Keyword::kAll, Keyword::kFirst, Keyword::kLast, Keyword::kSnapshot})) skip();
  if (!expect(Keyword::kEvery)) return false;
  repair_unit();
  bool events = at(TokenKind::kInt) && peek(1).keyword == Keyword::kEvents;
  if (snapshot || !events) {
    out.kind = snapshot ? ast::OutputRate::Kind::kSnapshot : ast::OutputRate::Kind::kTime;
    if (snapshot && events) return fail("a time", "a snapshot comes every so often, not by events");
    return time(out.amount);
  }
  out.kind = ast::OutputRate::Kind::kEvents;
  return event_count(out.amount);
}

// ---- actions ----

bool Parser::output_action(ast::OutputAction& out) {
  out.location = peek().location;
  if (at(Keyword::kInsert)) return insert_action(out);
  if (at(Keyword::kUpdate)) return update_action(out);
  if (accept(Keyword::kDelete)) {
    out.kind = Action::kDelete;
    if (!target(out) || !for_events(out)) return false;
    return !accept(Keyword::kOn) || expression_into(out.on);
  }
  if (accept(Keyword::kReturn)) {
    out.kind = Action::kReturn;
    return !at_event_type() || event_type(out.events, out.raw);
  }
  bool none = at(TokenKind::kEnd) || at_symbol(";") || at_symbol(")") || at(Keyword::kEnd) ||
              at_statement_start();
  return none || fail(kActionExpected);
}

bool Parser::insert_action(ast::OutputAction& out) {
  if (!expect(Keyword::kInsert)) return false;
  repair({Keyword::kInto, Keyword::kOverwrite, Keyword::kAll, Keyword::kExpired, Keyword::kCurrent,
          Keyword::kEvents});
  if (accept(Keyword::kOverwrite)) {
    out.kind = Action::kUpdateOrInsert;
    accept(Keyword::kInto);
    return target(out) && for_events(out) && assignments(out) && expect(Keyword::kOn) &&
           expression_into(out.on);
  }
  out.kind = Action::kInsert;
  if (at_event_type() && !event_type(out.events, out.raw)) return false;
  return expect(Keyword::kInto) && target(out);
}

bool Parser::update_action(ast::OutputAction& out) {
  if (!expect(Keyword::kUpdate)) return false;
  out.kind = Action::kUpdate;
  if (at(Keyword::kOr) && peek(1).kind == TokenKind::kWord) {
    skip();
    if (!expect(Keyword::kInsert) || !expect(Keyword::kInto)) return false;
    out.kind = Action::kUpdateOrInsert;
  }
  return target(out) && for_events(out) && assignments(out) && expect(Keyword::kOn) &&
         expression_into(out.on);
}

bool Parser::target(ast::OutputAction& out) {
  out.inner = accept_symbol("#");
  out.fault = !out.inner && accept_symbol("!");
  return name(out.target, "the name of a stream, table or window");
}

bool Parser::for_events(ast::OutputAction& out) {
  return !accept(Keyword::kFor) || event_type(out.events, out.raw);
}

bool Parser::assignments(ast::OutputAction& out) {
  repair({Keyword::kSet});
  if (!accept(Keyword::kSet)) return true;
  do {
    ast::Assignment& next = out.set.emplace_back();
    next.location = peek().location;
    if (!attribute_reference(next.target)) return false;
    if (at_symbol("==")) {
      report(peek().location, "unexpected '=='", "'='", "'set' assigns with '='");
      skip();
    } else if (!expect_symbol("=")) {
      return false;
    }
    if (!expression_into(next.value)) return false;
  } while (accept_symbol(","));
  return true;
}

bool Parser::at_event_type() const {
  return at_any({Keyword::kAll, Keyword::kExpired, Keyword::kCurrent, Keyword::kEvents});
}

bool Parser::event_type(Events& out, bool& raw) {
  repair({Keyword::kAll, Keyword::kExpired, Keyword::kCurrent, Keyword::kEvents});
  if (!at_event_type()) return fail("'all', 'expired' or 'current events'");
  out = at(Keyword::kAll)       ? Events::kAll
        : at(Keyword::kExpired) ? Events::kExpired
                                : Events::kCurrent;
  bool marked = at_any({Keyword::kAll, Keyword::kExpired});
  if (!at(Keyword::kEvents)) skip();
  raw = marked && accept(Keyword::kRaw);
  return expect(Keyword::kEvents);
}

}  // namespace pollux
