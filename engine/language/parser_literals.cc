// Constants: numbers as Java reads them, strings, truth values, spans of time.
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "engine/language/parser.h"
#include "engine/language/parser_state.h"

namespace pollux {
namespace {

struct TimeUnit {
  Keyword keyword;
  int64_t ms;
};

/// Largest first, the order in which they are written. A month is 30 days, a year 365.
constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr std::array kTimeUnits = {
    TimeUnit{Keyword::kYears, 365 * kDayMs}, TimeUnit{Keyword::kMonths, 30 * kDayMs},
    TimeUnit{Keyword::kWeeks, 7 * kDayMs},   TimeUnit{Keyword::kDays, kDayMs},
    TimeUnit{Keyword::kHours, 3'600'000},    TimeUnit{Keyword::kMinutes, 60'000},
    TimeUnit{Keyword::kSeconds, 1000},       TimeUnit{Keyword::kMilliseconds, 1},
};

/// What counts in a rate stands here too: `every 5 evnts` is no time.
constexpr std::initializer_list<Keyword> kUnitKeywords = {
    Keyword::kYears,   Keyword::kMonths,  Keyword::kWeeks,        Keyword::kDays,  Keyword::kHours,
    Keyword::kMinutes, Keyword::kSeconds, Keyword::kMilliseconds, Keyword::kEvents};

std::optional<size_t> unit_index(Keyword keyword) {
  for (size_t i = 0; i < kTimeUnits.size(); ++i) {
    if (kTimeUnits[i].keyword == keyword) return i;
  }
  return std::nullopt;
}

template <typename Integer>
std::optional<Integer> integer_from(std::string_view digits, bool negative) {
  // The sign goes in with the digits: the smallest integer has no positive twin.
  std::string text = negative ? "-" : "";
  text += digits;
  Integer value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// True when a decimal number that does not fit is too large rather than too small.
bool is_huge(std::string_view digits) {
  size_t mark = digits.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view exponent = digits.substr(mark + 1);
    if (exponent.starts_with("-")) return false;
    if (exponent.find_first_not_of("+0") != std::string_view::npos) return true;
  }
  return digits.substr(0, digits.find_first_of(".eE")).find_first_not_of('0') !=
         std::string_view::npos;
}

/// As Float.parseFloat and Double.parseDouble: too large is infinite, too small is zero.
template <typename Real>
Real real_from(std::string_view digits, bool negative) {
  Real value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  static_cast<void>(end);  // the lexer has seen to it that all of it is a number
  if (error == std::errc::result_out_of_range) {
    value = is_huge(digits) ? std::numeric_limits<Real>::infinity() : Real{0};
  }
  return negative ? -value : value;
}

}  // namespace

bool Parser::at_number(size_t ahead) const {
  switch (peek(ahead).kind) {
    case TokenKind::kInt:
    case TokenKind::kLong:
    case TokenKind::kFloat:
    case TokenKind::kDouble:
      return true;
    default:
      return false;
  }
}

bool Parser::at_time() const {
  return at(TokenKind::kInt) && unit_index(peek(1).keyword).has_value();
}

ast::ExpressionPtr Parser::literal() {
  auto out = std::make_unique<ast::Expression>();
  out->location = peek().location;
  height_ = 1;
  if (at(TokenKind::kString)) {
    out->constant = std::string(peek().text);
  } else if (at(Keyword::kTrue) || at(Keyword::kFalse)) {
    out->constant = at(Keyword::kTrue);
  } else {
    return number();
  }
  skip();
  return out;
}

ast::ExpressionPtr Parser::number() {
  auto out = std::make_unique<ast::Expression>();
  out->location = peek().location;
  height_ = 1;
  repair_unit();
  if (at_time()) {
    int64_t ms = 0;
    if (!time(ms)) return nullptr;
    out->kind = ast::Expression::Kind::kTime;
    out->constant = ms;
    return out;
  }
  bool negative = at_symbol("-");
  if (negative || at_symbol("+")) skip();
  const Token& token = peek();
  if (token.kind == TokenKind::kFloat) {
    out->constant = real_from<float>(token.text, negative);
  } else if (token.kind == TokenKind::kDouble) {
    out->constant = real_from<double>(token.text, negative);
  } else if (token.kind == TokenKind::kLong) {
    auto value = integer_from<int64_t>(token.text, negative);
    if (!value) {
      report(token.location, "number " + in_quotes(token.text) + " does not fit a long",
             "a number from -2^63 to 2^63 - 1");
    }
    out->constant = value.value_or(0);
  } else {
    auto value = integer_from<int32_t>(token.text, negative);
    if (!value) {
      report(token.location, "number " + in_quotes(token.text) + " does not fit an int",
             "a number from -2147483648 to 2147483647", "a long is written with an L at its end");
    }
    out->constant = value.value_or(0);
  }
  skip();
  return out;
}

void Parser::repair_unit() {
  bool word_follows = at(TokenKind::kInt) && peek(1).kind == TokenKind::kWord;
  if (!word_follows) return;
  ++position_;
  repair(kUnitKeywords);
  --position_;
}

bool Parser::time(int64_t& ms) {
  constexpr const char* kExpected = "a time such as '5 sec' or '1 hour 30 min'";
  ms = 0;
  if (!at(TokenKind::kInt)) return fail(kExpected);
  Location start = peek().location;
  bool fits = true;
  size_t next_unit = 0;
  do {
    auto amount = integer_from<int64_t>(peek().text, false);
    skip();
    repair(kUnitKeywords);
    auto unit = unit_index(peek().keyword);
    if (!unit) return fail("a unit of time: year, month, week, day, hour, min, sec or millisec");
    if (*unit < next_unit) {
      return fail("a smaller unit", "units of time are written from the largest to the smallest");
    }
    next_unit = *unit + 1;
    int64_t part = 0;
    fits = fits && amount && !__builtin_mul_overflow(*amount, kTimeUnits[*unit].ms, &part) &&
           !__builtin_add_overflow(ms, part, &ms);
    skip();
  } while (at_time());
  if (!fits || ms > kSpanMsMax) report(start, "the time is too long", "at most 10000 years");
  return true;
}

bool Parser::small_integer(int32_t& out, const char* what) {
  if (!at(TokenKind::kInt)) return fail(what);
  auto value = integer_from<int32_t>(peek().text, false);
  if (!value) {
    report(peek().location, "number " + in_quotes(peek().text) + " does not fit an int", what);
  }
  out = value.value_or(0);
  skip();
  return true;
}

bool Parser::event_count(int64_t& out) {
  int32_t count = 0;
  if (!small_integer(count, "a number of events") || !expect(Keyword::kEvents)) return false;
  out = count;
  return true;
}

}  // namespace pollux
