// from <input> .. ; what kind of input it is, sources with their handlers, joins, anonymous
// streams.
#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "engine/language/parser_state.h"

namespace pollux {
namespace {

constexpr std::initializer_list<Keyword> kJoinWords = {
    Keyword::kJoin, Keyword::kInner, Keyword::kLeft,           Keyword::kRight,
    Keyword::kFull, Keyword::kOuter, Keyword::kUnidirectional, Keyword::kAs};

/// What can stand behind a source; misspelt ones are looked for among these.
constexpr std::initializer_list<Keyword> kBehindSource = {
    Keyword::kSelect, Keyword::kInsert, Keyword::kOutput, Keyword::kDelete,
    Keyword::kUpdate, Keyword::kReturn, Keyword::kJoin,   Keyword::kLeft,
    Keyword::kRight,  Keyword::kFull,   Keyword::kInner,  Keyword::kUnidirectional,
    Keyword::kWithin};

constexpr std::initializer_list<Keyword> kBehindInput = {Keyword::kSelect, Keyword::kInsert,
                                                         Keyword::kOutput, Keyword::kDelete,
                                                         Keyword::kUpdate, Keyword::kReturn};

}  // namespace

bool Parser::query(std::vector<ast::Annotation> annotations, ast::Query& out) {
  out.annotations = std::move(annotations);
  out.location = peek().location;
  return expect(Keyword::kFrom) && query_body(out);
}

bool Parser::query_body(ast::Query& out) {
  if (!input(out.input)) return false;
  repair(kBehindInput);
  out.selector.location = peek().location;
  if (at(Keyword::kSelect) && !selector(out.selector)) return false;
  repair(kBehindInput);
  if (at(Keyword::kOutput) && !output_rate(out.rate)) return false;
  repair(kBehindInput);
  return output_action(out.output);
}

// ---- which kind of input ----

bool Parser::input(ast::QueryInput& out) {
  if (at_anonymous()) return anonymous(out.emplace<ast::StreamSource>());
  bool state = at_symbol("(") || at_state_keyword(Keyword::kEvery) ||
               at_state_keyword(Keyword::kNot) || (at_name() && at_symbol("=", 1));
  if (state) return state_input(out.emplace<ast::StateInput>());

  size_t start = std::exchange(position_, behind_source(position_));
  repair(kBehindSource);
  bool joined = at_any(kJoinWords);
  state = at_symbol("->") || at_symbol(",") || at_symbol("<") || at_symbol("*") || at_symbol("+") ||
          at_symbol("?") || at_any({Keyword::kAnd, Keyword::kOr, Keyword::kWithin});
  position_ = start;
  if (joined) return join(out.emplace<ast::JoinInput>());
  if (state) return state_input(out.emplace<ast::StateInput>());
  return source(out.emplace<ast::StreamSource>(), Handlers::kAny);
}

size_t Parser::behind_brackets(size_t index) const {
  int open = 0;
  for (; token_at(index).kind != TokenKind::kEnd; ++index) {
    if (token_at(index).kind != TokenKind::kSymbol) continue;
    std::string_view symbol = token_at(index).text;
    if (symbol == "(" || symbol == "[") ++open;
    if (symbol == ")" || symbol == "]") --open;
    if (symbol == ";") return index;
    if (open == 0) return index + 1;
  }
  return index;
}

size_t Parser::behind_source(size_t index) const {
  auto symbol_at = [&](size_t i, std::string_view symbol) {
    return token_at(i).kind == TokenKind::kSymbol && token_at(i).text == symbol;
  };
  if (symbol_at(index, "#") || symbol_at(index, "!")) ++index;
  ++index;
  for (;;) {
    if (symbol_at(index, "[")) {
      index = behind_brackets(index);
    } else if (symbol_at(index, "#") && symbol_at(index + 1, "[")) {
      index = behind_brackets(index + 1);
    } else if (symbol_at(index, "#")) {
      index += 2;
      // window.name, namespace:name
      while (symbol_at(index, ".") || symbol_at(index, ":")) index += 2;
      if (symbol_at(index, "(")) index = behind_brackets(index);
    } else {
      return std::min(index, tokens_.size() - 1);
    }
  }
}

bool Parser::at_anonymous() const {
  size_t ahead = 0;
  while (at_symbol("(", ahead)) ++ahead;
  if (peek(ahead).keyword != Keyword::kFrom) return false;
  // Without parentheses only where `from` cannot be the stream's name.
  bool source_follows =
      at_name(ahead + 1) || at_symbol("#", ahead + 1) || at_symbol("!", ahead + 1);
  bool keyword_follows = peek(ahead + 1).keyword != Keyword::kNone;
  return ahead > 0 ? source_follows || at_symbol("(", ahead + 1)
                   : source_follows && !keyword_follows && !at_symbol("#", 1);
}

bool Parser::anonymous(ast::StreamSource& out) {
  Nesting nesting(*this);
  if (!nesting.allowed()) return false;
  out.location = peek().location;
  if (accept_symbol("(")) {
    return anonymous(out) && (accept_symbol(")") || fail("')'"));
  }
  out.anonymous = std::make_unique<ast::Query>();
  return query({}, *out.anonymous);
}

// ---- sources ----

bool Parser::source(ast::StreamSource& out, Handlers allowed) {
  out.location = peek().location;
  out.inner = accept_symbol("#");
  out.fault = !out.inner && accept_symbol("!");
  if (at_clause()) return fail("a stream's name");
  return name(out.stream, "a stream's name") && handlers(out, allowed);
}

bool Parser::handlers(ast::StreamSource& out, Handlers allowed) {
  bool window_seen = false;
  while (at_symbol("[") || at_symbol("#")) {
    ast::StreamHandler next;
    if (!handler(next)) return false;
    if (next.kind == ast::StreamHandler::Kind::kWindow) {
      if (allowed == Handlers::kWithoutWindow) {
        report(next.location, "unexpected window", "filters and functions only",
               "patterns, sequences and aggregations take no window");
      } else if (window_seen) {
        report(next.location, "unexpected second window", "one window at most",
               "insert into another stream, and put the second window there");
      }
      window_seen = true;
    }
    out.handlers.push_back(std::move(next));
  }
  return true;
}

bool Parser::handler(ast::StreamHandler& out) {
  out.location = peek().location;
  bool marked = accept_symbol("#");
  if (accept_symbol("[")) {
    out.kind = ast::StreamHandler::Kind::kFilter;
    if (!expression_into(out.filter)) return false;
    return accept_symbol("]") || fail("an operator or ']'");
  }
  if (!marked) return fail("'[' or '#'");
  out.kind = ast::StreamHandler::Kind::kFunction;
  bool misspelt = at_symbol(".", 1);
  if (misspelt) repair({Keyword::kWindow});
  if (at(Keyword::kWindow) && at_symbol(".", 1)) {
    skip();
    skip();
    out.kind = ast::StreamHandler::Kind::kWindow;
  }
  if (!at_function()) return fail("a function's name and '('");
  return function(out.name_space, out.name, out.star, out.arguments);
}

// ---- joins ----

bool Parser::join(ast::JoinInput& out) {
  if (!join_side(out.left)) return false;
  repair(kJoinWords);
  if (accept(Keyword::kUnidirectional)) out.trigger = ast::JoinInput::Trigger::kLeft;
  if (!join_kind(out.kind) || !join_side(out.right)) return false;
  repair({Keyword::kOn, Keyword::kUnidirectional, Keyword::kWithin, Keyword::kSelect});
  if (at(Keyword::kUnidirectional)) {
    if (out.trigger == ast::JoinInput::Trigger::kLeft) {
      return fail("'on', 'within', 'select' or an output", "only one side can be unidirectional");
    }
    skip();
    out.trigger = ast::JoinInput::Trigger::kRight;
  }
  return join_conditions(out);
}

bool Parser::join_side(ast::StreamSource& out) {
  if (!source(out, Handlers::kAny)) return false;
  bool window_seen = false;
  for (const ast::StreamHandler& handler : out.handlers) {
    if (window_seen && handler.kind != ast::StreamHandler::Kind::kWindow) {
      report(handler.location, "unexpected filter or function behind a window", "'as' or 'join'",
             "in a join, filters and functions stand before the window");
    }
    window_seen = window_seen || handler.kind == ast::StreamHandler::Kind::kWindow;
  }
  return !accept(Keyword::kAs) || name(out.alias, "the alias");
}

bool Parser::join_kind(ast::JoinInput::Kind& out) {
  repair(kJoinWords);
  if (accept(Keyword::kLeft)) {
    out = ast::JoinInput::Kind::kLeftOuter;
  } else if (accept(Keyword::kRight)) {
    out = ast::JoinInput::Kind::kRightOuter;
  } else if (accept(Keyword::kFull)) {
    out = ast::JoinInput::Kind::kFullOuter;
  } else {
    accept(Keyword::kInner);
    if (at(Keyword::kOuter)) return fail("'join'", "write 'left', 'right' or 'full outer join'");
    return expect(Keyword::kJoin);
  }
  return expect(Keyword::kOuter) && expect(Keyword::kJoin);
}

bool Parser::join_conditions(ast::JoinInput& out) {
  repair({Keyword::kOn, Keyword::kWithin, Keyword::kSelect});
  if (accept(Keyword::kOn) && !expression_into(out.on)) return false;
  repair({Keyword::kWithin});
  if (!accept(Keyword::kWithin)) return true;
  if (!within_range(out.within)) return false;
  if (accept(Keyword::kPer)) return expression_into(out.per);
  bool time = out.within.size() == 1 && out.within[0]->kind == ast::Expression::Kind::kTime;
  if (!time) return fail("'per' and a granularity such as 'hours'");
  out.within_ms = std::get<int64_t>(out.within[0]->constant);
  out.within.clear();
  return true;
}

bool Parser::within_range(std::vector<ast::ExpressionPtr>& out) {
  if (!expression_into(out.emplace_back())) return false;
  return !accept_symbol(",") || expression_into(out.emplace_back());
}

}  // namespace pollux
