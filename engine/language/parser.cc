#include "engine/language/parser.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/language/parser_state.h"

namespace pollux {

namespace {

/// Words of fewer letters are near to too many others.
constexpr size_t kRepairBytesMin = 2;

bool starts_with_folded(const std::string& text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  return std::equal(prefix.begin(), prefix.end(), text.begin(), [](char wanted, char c) {
    return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  });
}

bool is_plan_annotation(const ast::Annotation& annotation) {
  return starts_with_folded(annotation.name, "app:") ||
         starts_with_folded(annotation.name, "plan:");
}

std::string described(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "end of the text";
    case TokenKind::kString:
      return "string " + in_quotes(token.text);
    case TokenKind::kScript:
      return "script in braces";
    default:
      return in_quotes(token.text);
  }
}

bool is_definition_kind(Keyword keyword) {
  return keyword == Keyword::kStream || keyword == Keyword::kTable || keyword == Keyword::kWindow ||
         keyword == Keyword::kTrigger || keyword == Keyword::kFunction ||
         keyword == Keyword::kAggregation;
}

}  // namespace

ParseResult parse_plan(std::string_view text) {
  Parser parser(text);
  ParseResult result;
  result.plan = parser.plan();
  result.diagnostics = parser.take_diagnostics();
  return result;
}

Parser::Parser(std::string_view text) {
  bool too_long = text.size() > kTextBytesMax;
  if (too_long) {
    diagnostics_.push_back(
        {{}, "the text is too long", "at most " + std::to_string(kTextBytesMax) + " bytes", ""});
  }
  tokens_ = tokenize(too_long ? "" : text, diagnostics_);
  POLLUX_CHECK(!tokens_.empty() && tokens_.back().kind == TokenKind::kEnd);
  // One more than will be shown, to know that there are more.
  stop_at_diagnostics_ = too_long ? 1 : diagnostics_.size() + kDiagnosticsMax + 1;
}

Diagnostics Parser::take_diagnostics() {
  in_order_of_place(diagnostics_);
  return std::move(diagnostics_);
}

// ---- cursor ----

const Token& Parser::token_at(size_t index) const {
  return tokens_[std::min(index, tokens_.size() - 1)];
}

const Token& Parser::peek(size_t ahead) const { return token_at(position_ + ahead); }

bool Parser::at_any(std::initializer_list<Keyword> keywords) const {
  return std::find(keywords.begin(), keywords.end(), peek().keyword) != keywords.end();
}

bool Parser::at_symbol(std::string_view symbol, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool Parser::at_name(size_t ahead) const {
  TokenKind kind = peek(ahead).kind;
  return kind == TokenKind::kWord || kind == TokenKind::kQuoted;
}

bool Parser::accept(Keyword keyword) {
  if (!at(keyword)) return false;
  skip();
  return true;
}

bool Parser::accept_symbol(std::string_view symbol) {
  if (!at_symbol(symbol)) return false;
  skip();
  return true;
}

bool Parser::at_clause(size_t ahead) const {
  const Token& next = peek(ahead + 1);
  auto next_is = [&](std::initializer_list<Keyword> keywords) {
    return std::find(keywords.begin(), keywords.end(), next.keyword) != keywords.end();
  };
  bool operand_follows = next.kind != TokenKind::kSymbol && next.kind != TokenKind::kEnd &&
                         !next_is({Keyword::kAnd, Keyword::kAs, Keyword::kAsc, Keyword::kDesc,
                                   Keyword::kIn, Keyword::kIs, Keyword::kOf, Keyword::kOr});
  switch (peek(ahead).keyword) {
    case Keyword::kSelect:
      return operand_follows || at_symbol("*", ahead + 1);
    case Keyword::kHaving:
    case Keyword::kDelete:
    case Keyword::kUpdate:
      return operand_follows;
    case Keyword::kGroup:
    case Keyword::kOrder:
      return next_is({Keyword::kBy});
    case Keyword::kInsert:
      return next_is({Keyword::kAll, Keyword::kCurrent, Keyword::kEvents, Keyword::kExpired,
                      Keyword::kInto, Keyword::kOverwrite});
    case Keyword::kOutput:
      return next_is(
          {Keyword::kAll, Keyword::kEvery, Keyword::kFirst, Keyword::kLast, Keyword::kSnapshot});
    default:
      return false;
  }
}

bool Parser::at_statement_start() const {
  if (at_symbol("@")) return at_name(1);
  if (at(Keyword::kDefine)) return is_definition_kind(peek(1).keyword);
  if (at(Keyword::kPartition)) return peek(1).keyword == Keyword::kWith;
  if (at(Keyword::kFrom)) return at_name(1) || at_symbol("#", 1) || at_symbol("(", 1);
  return false;
}

// ---- errors ----

void Parser::report(Location location, std::string message, std::string expected,
                    std::string hint) {
  if (full()) return;  // it would not be shown, and a statement can hold very many
  diagnostics_.push_back({location, std::move(message), std::move(expected), std::move(hint)});
}

bool Parser::fail(std::string expected, std::string hint) {
  // The lexer has already said what is wrong with a kError.
  if (!at(TokenKind::kError)) {
    report(peek().location, "unexpected " + described(peek()), std::move(expected),
           std::move(hint));
  }
  return false;
}

bool Parser::expect(Keyword keyword) {
  if (!at(keyword)) repair({keyword});
  if (accept(keyword)) return true;
  return fail(in_quotes(text_of(keyword)));
}

bool Parser::expect_symbol(std::string_view symbol) {
  if (accept_symbol(symbol)) return true;
  return fail(in_quotes(symbol));
}

void Parser::repair(std::initializer_list<Keyword> keywords) {
  Token& token = tokens_[position_];
  if (token.kind != TokenKind::kWord || token.keyword != Keyword::kNone) return;
  if (token.text.size() < kRepairBytesMin) return;
  std::vector<std::string> candidates;
  for (Keyword keyword : keywords) {
    for (std::string& spelling : spellings_of(keyword)) candidates.push_back(std::move(spelling));
  }
  std::string nearest = nearest_name(std::string(token.text), candidates);
  if (nearest.empty()) return;
  report(token.location, "unexpected " + described(token), in_quotes(nearest),
         "did you mean " + in_quotes(nearest) + "?");
  token.keyword = keyword_from(nearest);
}

bool Parser::Nesting::allowed() {
  if (parser_.depth_ <= kNestingMax) return true;
  parser_.report(parser_.peek().location, "nested too deeply",
                 "at most " + std::to_string(kNestingMax) + " levels");
  return false;
}

bool Parser::name(std::string& out, const char* what) {
  if (!at_name()) return fail(what);
  out = peek().text;
  skip();
  return true;
}

bool Parser::string(std::string& out, const char* what) {
  if (!at(TokenKind::kString)) return fail(what);
  out = peek().text;
  skip();
  return true;
}

// ---- statements ----

ast::Plan Parser::plan() {
  ast::Plan out;
  while (!at(TokenKind::kEnd) && !full()) {
    if (!accept_symbol(";")) statement(out);
  }
  if (out.definitions.empty() && out.elements.empty() && diagnostics_.empty()) {
    report(peek().location, "the plan is empty", "a definition or a query");
  }
  return out;
}

void Parser::statement(ast::Plan& plan) {
  size_t start = position_;
  if (element(plan)) {
    end_statement();
  } else {
    synchronise();
  }
  // The last token is never skipped: there plan() ends.
  if (position_ == start) skip();
}

bool Parser::element(ast::Plan& plan) {
  std::vector<ast::Annotation> own;
  if (!annotations(own, &plan)) return false;
  constexpr const char* kExpected = "'define', 'from', 'partition' or '@'";
  if (at(TokenKind::kEnd) || at_symbol(";")) {
    return own.empty() || fail(kExpected, "an annotation stands before what it speaks of");
  }
  repair({Keyword::kFrom, Keyword::kDefine, Keyword::kPartition});
  if (at(Keyword::kDefine)) return definition(std::move(own), plan);
  if (at(Keyword::kFrom)) {
    ast::Query out;
    if (!query(std::move(own), out)) return false;
    plan.elements.emplace_back(std::move(out));
    return true;
  }
  if (at(Keyword::kPartition)) {
    ast::Partition out;
    bool read = partition(std::move(own), out);
    if (read) plan.elements.emplace_back(std::move(out));
    return read;
  }
  return fail(kExpected);
}

void Parser::end_statement() {
  if (at(TokenKind::kEnd) || accept_symbol(";")) return;
  fail("';'");
  // A statement whose ';' was forgotten is still read.
  if (!at_statement_start()) synchronise();
}

void Parser::synchronise() {
  while (!at(TokenKind::kEnd)) {
    if (accept_symbol(";")) return;
    bool surely_new = at(Keyword::kDefine) || at(Keyword::kPartition);
    if (surely_new && at_statement_start()) return;
    skip();
  }
}

// ---- annotations ----

bool Parser::annotations(std::vector<ast::Annotation>& own, ast::Plan* plan) {
  while (at_symbol("@")) {
    ast::Annotation out;
    if (!annotation(out)) return false;
    bool of_plan = plan != nullptr && is_plan_annotation(out);
    (of_plan ? plan->annotations : own).push_back(std::move(out));
  }
  return true;
}

bool Parser::annotation(ast::Annotation& out) {
  Nesting nesting(*this);
  if (!nesting.allowed()) return false;
  out.location = peek().location;
  if (!expect_symbol("@") || !name(out.name, "the annotation's name")) return false;
  if (accept_symbol(":")) {
    std::string rest;
    if (!name(rest, "the annotation's name behind ':'")) return false;
    out.name += ":" + rest;
  }
  if (!accept_symbol("(")) return true;
  do {
    if (!annotation_part(out)) return false;
  } while (accept_symbol(","));
  return accept_symbol(")") || fail("',' or ')'");
}

bool Parser::annotation_part(ast::Annotation& out) {
  if (at_symbol("@")) return annotation(out.annotations.emplace_back());
  ast::AnnotationElement element;
  element.location = peek().location;
  bool keyed = at_name() || (at(TokenKind::kString) && at_symbol("=", 1));
  if (keyed) {
    if (!annotation_key(element.key)) return false;
    if (!expect_symbol("=")) return false;
  }
  bool bare = at_number() || at_any({Keyword::kTrue, Keyword::kFalse});
  if (bare && keyed) {
    std::string text(peek().text);
    report(peek().location, "unexpected " + described(peek()), "a string",
           "values of annotations are strings: write '" + text + "'");
    element.value = text;
    skip();
  } else if (!string(element.value, keyed ? "a string" : "a key, a string or '@'")) {
    return false;
  }
  out.elements.push_back(std::move(element));
  return true;
}

bool Parser::annotation_key(std::string& out) {
  if (at(TokenKind::kString)) return string(out, "a key");
  if (!name(out, "a key")) return false;
  for (;;) {
    std::string_view separator = peek().text;
    if (!accept_symbol(".") && !accept_symbol("-") && !accept_symbol(":")) return true;
    std::string part;
    if (!name(part, "the rest of the key")) return false;
    out += separator;
    out += part;
  }
}

}  // namespace pollux
