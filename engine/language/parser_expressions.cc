// Expressions, by precedence climbing. High to low: parentheses and `is null`; not; * / %; + -;
// > >= < <=; == !=; in; and; or.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "engine/language/parser.h"
#include "engine/language/parser_state.h"

namespace pollux {
namespace {

using Kind = ast::Expression::Kind;

struct Operator {
  std::string_view symbol;  ///< or
  Keyword keyword;
  Kind kind;
  int precedence;  ///< higher binds tighter
};

constexpr int kPrecedenceMin = 1;

/// Shorter words between operands are rather an `as` or an `or` than a misspelt `and`.
constexpr size_t kAndBytesMin = 3;

constexpr std::array kOperators = {
    Operator{"*", Keyword::kNone, Kind::kMultiply, 7},
    Operator{"/", Keyword::kNone, Kind::kDivide, 7},
    Operator{"%", Keyword::kNone, Kind::kModulo, 7},
    Operator{"+", Keyword::kNone, Kind::kAdd, 6},
    Operator{"-", Keyword::kNone, Kind::kSubtract, 6},
    Operator{">", Keyword::kNone, Kind::kGreater, 5},
    Operator{">=", Keyword::kNone, Kind::kGreaterEqual, 5},
    Operator{"<", Keyword::kNone, Kind::kLess, 5},
    Operator{"<=", Keyword::kNone, Kind::kLessEqual, 5},
    Operator{"==", Keyword::kNone, Kind::kEqual, 4},
    Operator{"!=", Keyword::kNone, Kind::kNotEqual, 4},
    Operator{"", Keyword::kIn, Kind::kIn, 3},
    Operator{"", Keyword::kAnd, Kind::kAnd, 2},
    Operator{"", Keyword::kOr, Kind::kOr, 1},
};

const Operator* operator_of(const Token& token) {
  for (const Operator& known : kOperators) {
    bool same = known.symbol.empty()
                    ? token.keyword == known.keyword
                    : token.kind == TokenKind::kSymbol && token.text == known.symbol;
    if (same) return &known;
  }
  return nullptr;
}

ast::ExpressionPtr node(Kind kind, Location location) {
  auto out = std::make_unique<ast::Expression>();
  out->kind = kind;
  out->location = location;
  return out;
}

constexpr const char* kOperandExpected = "an attribute, a constant, a function or '('";

}  // namespace

ExpressionResult parse_expression(std::string_view text) {
  Parser parser(text);
  ExpressionResult result;
  result.expression = parser.whole_expression();
  result.diagnostics = parser.take_diagnostics();
  if (!result.diagnostics.empty()) result.expression = nullptr;
  return result;
}

ast::ExpressionPtr Parser::whole_expression() {
  ast::ExpressionPtr out = expression();
  if (out && !at(TokenKind::kEnd)) return fail_expression("an operator, or the end");
  return out;
}

ast::ExpressionPtr Parser::expression() {
  Nesting nesting(*this);
  if (!nesting.allowed()) return nullptr;
  return binary(kPrecedenceMin);
}

bool Parser::expression_into(ast::ExpressionPtr& out) {
  out = expression();
  return out != nullptr;
}

ast::ExpressionPtr Parser::binary(int precedence_min) {
  Location start = peek().location;
  ast::ExpressionPtr left = operand();
  while (left != nullptr) {
    // A single '=' is a slip for '==' wherever an operator can stand.
    if (at_symbol("=")) {
      report(peek().location, "unexpected '='", "'=='", "equality is written '=='");
      tokens_[position_].text = "==";
    }
    if (peek().text.size() >= kAndBytesMin) repair({Keyword::kAnd});
    const Operator* found = operator_of(peek());
    if (found == nullptr || found->precedence < precedence_min) break;
    int left_height = height_;
    skip();
    ast::ExpressionPtr out = node(found->kind, start);
    out->arguments.push_back(std::move(left));
    if (found->kind == Kind::kIn) {
      if (!name(out->table, "the table's name")) return nullptr;
    } else {
      ast::ExpressionPtr right = binary(found->precedence + 1);
      if (right == nullptr) return nullptr;
      out->arguments.push_back(std::move(right));
    }
    height_ = std::max(left_height, height_) + 1;
    left = std::move(out);
    if (height_ > kExpressionHeightMax) {
      report(start, "expression too long",
             "at most " + std::to_string(kExpressionHeightMax) + " operators in a row");
      return nullptr;
    }
  }
  return left;
}

std::nullptr_t Parser::fail_expression(std::string expected, std::string hint) {
  fail(std::move(expected), std::move(hint));
  return nullptr;
}

ast::ExpressionPtr Parser::operand() {
  Location start = peek().location;
  ast::ExpressionPtr out = operand_without_null_check();
  if (out == nullptr) return nullptr;
  bool checked = at(Keyword::kIs);
  if (!checked) {
    bool whole_event = out->kind == Kind::kReference && out->reference.attribute.empty();
    if (whole_event) return fail_expression("'.' and an attribute, or 'is null'");
    return out;
  }
  if (out->kind != Kind::kReference && out->kind != Kind::kFunction) {
    return fail_expression("an operator",
                           "only attributes, events and functions are checked for null");
  }
  skip();
  if (!expect(Keyword::kNull)) return nullptr;
  ast::ExpressionPtr check = node(Kind::kIsNull, start);
  check->arguments.push_back(std::move(out));
  ++height_;
  return check;
}

ast::ExpressionPtr Parser::operand_without_null_check() {
  if (at_symbol("(")) return parenthesised();
  bool signed_number = (at_symbol("-") || at_symbol("+")) && at_number(1);
  if (at_number() || signed_number || at(TokenKind::kString)) return literal();
  if (at_symbol("-") && at_name(1)) {
    return fail_expression(kOperandExpected, "there is no minus sign for attributes: write (0 - " +
                                                 std::string(peek(1).text) + ")");
  }
  if (at_any({Keyword::kTrue, Keyword::kFalse}) && !at_symbol(".", 1)) return literal();
  if (at(Keyword::kNot)) {
    // `not` may be a name too, but only where no operand follows it.
    bool operand_follows = at_name(1) || at_number(1) || peek(1).kind == TokenKind::kString ||
                           at_symbol("(", 1) || at_symbol("#", 1) || at_symbol("!", 1);
    const Operator* next = operator_of(peek(1));
    if (operand_follows && (next == nullptr || at_symbol("(", 2))) return negation();
  }
  if (at_clause()) return fail_expression(kOperandExpected);
  if (at_function()) return function_call();
  if (at_name() || at_symbol("#") || at_symbol("!")) return reference_expression();
  return fail_expression(kOperandExpected);
}

ast::ExpressionPtr Parser::parenthesised() {
  skip();
  ast::ExpressionPtr out = expression();
  if (out == nullptr) return nullptr;
  if (!accept_symbol(")")) return fail_expression("an operator or ')'");
  return out;
}

ast::ExpressionPtr Parser::negation() {
  Nesting nesting(*this);
  if (!nesting.allowed()) return nullptr;
  ast::ExpressionPtr out = node(Kind::kNot, peek().location);
  skip();
  ast::ExpressionPtr negated = operand();
  if (negated == nullptr) return nullptr;
  out->arguments.push_back(std::move(negated));
  ++height_;
  return out;
}

// ---- functions ----

bool Parser::at_function() const {
  if (!at_name()) return false;
  return at_symbol("(", 1) || (at_symbol(":", 1) && at_name(2) && at_symbol("(", 3));
}

ast::ExpressionPtr Parser::function_call() {
  ast::ExpressionPtr out = node(Kind::kFunction, peek().location);
  if (!function(out->name_space, out->name, out->star, out->arguments)) return nullptr;
  return out;
}

bool Parser::function(std::string& name_space, std::string& name, bool& star,
                      std::vector<ast::ExpressionPtr>& arguments) {
  int height = 0;
  if (!this->name(name, "a function's name")) return false;
  if (accept_symbol(":")) {
    name_space = std::move(name);
    if (!this->name(name, "the function's name behind its namespace")) return false;
  }
  if (!expect_symbol("(")) return false;
  if (accept_symbol("*")) {
    star = true;
  } else if (!at_symbol(")")) {
    do {
      ast::ExpressionPtr argument = expression();
      if (argument == nullptr) return false;
      height = std::max(height, height_);
      arguments.push_back(std::move(argument));
    } while (accept_symbol(","));
  }
  height_ = height + 1;
  return accept_symbol(")") || fail("an operator, ',' or ')'");
}

// ---- references ----

ast::ExpressionPtr Parser::reference_expression() {
  ast::ExpressionPtr out = node(Kind::kReference, peek().location);
  if (!reference(out->reference)) return nullptr;
  height_ = 1;
  return out;
}

/// An attribute, or the whole event when no '.' follows a marked or indexed name.
bool Parser::reference(ast::Reference& out) {
  out.inner = accept_symbol("#");
  out.fault = !out.inner && accept_symbol("!");
  std::string first;
  if (!name(first, "a name")) return false;
  if (at_event_index() && !event_index(out.index)) return false;
  if (at_symbol("#") && at_name(1)) {
    skip();
    if (!name(out.second_stream, "a stream's name")) return false;
    if (at_event_index() && !event_index(out.second_index)) return false;
    if (!at_symbol(".")) return fail("'.' and an attribute");
  }
  bool bare = !out.inner && !out.fault && out.index.kind == ast::EventIndex::Kind::kNone;
  if (accept_symbol(".")) {
    out.stream = std::move(first);
    return name(out.attribute, "an attribute's name");
  }
  (bare ? out.attribute : out.stream) = std::move(first);
  return true;
}

bool Parser::attribute_reference(ast::Reference& out) {
  if (!at_name() && !at_symbol("#") && !at_symbol("!")) return fail("an attribute");
  if (!reference(out)) return false;
  return !out.attribute.empty() || fail("'.' and an attribute");
}

bool Parser::at_event_index() const {
  return at_symbol("[") && (peek(1).kind == TokenKind::kInt || peek(1).keyword == Keyword::kLast);
}

bool Parser::event_index(ast::EventIndex& out) {
  if (!expect_symbol("[")) return false;
  if (accept(Keyword::kLast)) {
    out.kind = ast::EventIndex::Kind::kFromLast;
    if (accept_symbol("-") && !small_integer(out.offset, "how many before the last")) return false;
  } else {
    out.kind = ast::EventIndex::Kind::kAt;
    if (!small_integer(out.offset, "an index or 'last'")) return false;
  }
  return expect_symbol("]");
}

}  // namespace pollux
