// Patterns (->) and sequences (,): every, not, and/or, counts, within.
//
// A parenthesised chain without a `within` of its own is the same as its parts in the chain around
// it, and is put there; so a kNext never stands in a kNext but for a `within`.
#include <iterator>
#include <utility>

#include "engine/language/parser_state.h"

namespace pollux {

using StateKind = ast::StateElement::Kind;

bool Parser::at_state_keyword(Keyword keyword) const {
  // As a keyword it stands before a source; else it is the source's own name.
  bool source_follows = (at_name(1) && !at_clause(1)) || at_symbol("(", 1) ||
                        (at_symbol("#", 1) && !at_symbol("[", 2)) || at_symbol("!", 1);
  return at(keyword) && source_follows;
}

bool Parser::state_input(ast::StateInput& out) {
  state_separator_ = "";
  symbol_counted_ = false;
  if (!state_chain(out.root)) return false;
  out.sequence = state_separator_ == ",";
  if (symbol_counted_ && !out.sequence) {
    report(symbol_count_, "*, + and ? are counts of sequences only", "a count such as <1:5>",
           "in patterns write <0:> for *, <1:> for +, <0:1> for ?");
  }
  // 5.x: a `within` behind the last part is that of the whole.
  ast::StateElement* last = &out.root;
  if (last->kind == StateKind::kNext && !last->within_ms) last = &last->children.back();
  out.within_ms = std::exchange(last->within_ms, std::nullopt);
  out.within_last_part = last != &out.root;
  return true;
}

bool Parser::state_chain(ast::StateElement& out) {
  Nesting nesting(*this);
  if (!nesting.allowed()) return false;
  out.kind = StateKind::kNext;
  out.location = peek().location;
  bool more = true;
  while (more) {
    ast::StateElement part;
    if (!state_part(part)) return false;
    if (part.kind == StateKind::kNext && !part.within_ms) {
      std::move(part.children.begin(), part.children.end(), std::back_inserter(out.children));
    } else {
      out.children.push_back(std::move(part));
    }
    if (!state_separator(more)) return false;
  }
  if (out.children.size() == 1) {
    ast::StateElement only = std::move(out.children.front());
    out = std::move(only);
  }
  return true;
}

bool Parser::state_separator(bool& found) {
  found = at_symbol("->") || at_symbol(",");
  if (!found) return true;
  if (state_separator_.empty()) state_separator_ = peek().text;
  if (state_separator_ != peek().text) {
    return fail(in_quotes(state_separator_), "patterns (->) and sequences (,) cannot be mixed");
  }
  skip();
  return true;
}

bool Parser::state_part(ast::StateElement& out) {
  out.location = peek().location;
  if (at_state_keyword(Keyword::kEvery)) {
    if (!state_every(out)) return false;
  } else if (accept_symbol("(")) {
    if (!state_chain(out)) return false;
    if (!accept_symbol(")")) return fail("'->', ',', 'and', 'or' or ')'");
  } else if (!state_logical(out)) {
    return false;
  }
  if (!at(Keyword::kWithin)) return true;
  if (out.within_ms) return fail("'->' or ','", "this part has a 'within' already");
  skip();
  int64_t ms = 0;
  if (!time(ms)) return false;
  out.within_ms = ms;
  return true;
}

bool Parser::state_every(ast::StateElement& out) {
  if (state_separator_ == ",") {
    return fail("a stream, 'not' or '('", "in a sequence 'every' stands at the start only");
  }
  out.kind = StateKind::kEvery;
  skip();
  ast::StateElement& repeated = out.children.emplace_back();
  if (!accept_symbol("(")) return state_logical(repeated);
  return state_chain(repeated) && (accept_symbol(")") || fail("'->', ',', 'and', 'or' or ')'"));
}

bool Parser::state_logical(ast::StateElement& out) {
  out.location = peek().location;
  ast::StateElement first;
  if (!state_stream(first)) return false;
  if (!at_any({Keyword::kAnd, Keyword::kOr})) {
    out = std::move(first);
    return true;
  }
  out.kind = at(Keyword::kAnd) ? StateKind::kAnd : StateKind::kOr;
  skip();
  ast::StateElement second;
  if (!state_stream(second)) return false;
  out.children.push_back(std::move(first));
  out.children.push_back(std::move(second));
  if (at_any({Keyword::kAnd, Keyword::kOr})) {
    return fail("'->' or ','", "'and' and 'or' join two streams, not more");
  }
  return true;
}

bool Parser::state_stream(ast::StateElement& out) {
  out.location = peek().location;
  if (at_state_keyword(Keyword::kNot)) {
    skip();
    out.kind = StateKind::kAbsent;
    if (!source(out.source, Handlers::kWithoutWindow)) return false;
    if (!accept(Keyword::kFor)) return true;
    int64_t ms = 0;
    if (!time(ms)) return false;
    out.for_ms = ms;
    return true;
  }
  std::string reference;
  if (at_name() && at_symbol("=", 1)) {
    reference = peek().text;
    skip();
    skip();
  }
  if (!source(out.source, Handlers::kWithoutWindow)) return false;
  out.source.alias = std::move(reference);
  return state_count(out);
}

bool Parser::state_count(ast::StateElement& out) {
  constexpr int32_t kAny = ast::StateElement::kAny;
  auto counted = [&](int32_t min, int32_t max) {
    symbol_count_ = peek().location;
    symbol_counted_ = true;
    skip();
    out.counted = true;
    out.min_count = min;
    out.max_count = max;
    return true;
  };
  if (at_symbol("*")) return counted(0, kAny);
  if (at_symbol("+")) return counted(1, kAny);
  if (at_symbol("?")) return counted(0, 1);
  if (!accept_symbol("<")) return true;
  constexpr const char* kExpected = "a count such as <2>, <2:5>, <2:> or <:5>";
  out.counted = true;
  out.min_count = 0;
  out.max_count = kAny;
  bool lower = at(TokenKind::kInt);
  if (lower && !small_integer(out.min_count, kExpected)) return false;
  if (accept_symbol(":")) {
    bool upper = at(TokenKind::kInt);
    if (upper && !small_integer(out.max_count, kExpected)) return false;
    if (!lower && !upper) return fail(kExpected);
  } else {
    if (!lower) return fail(kExpected);
    out.max_count = out.min_count;
  }
  return accept_symbol(">") || fail("'>'");
}

}  // namespace pollux
