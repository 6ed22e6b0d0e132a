// Expressions: precedence, constants, references.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/engine/language/parse_helpers.h"

namespace pollux {
namespace {

using test::errors_of;
using test::expression_of;
using test::query_of;

/// The constant of `select <text> as x`.
Value constant_of(const std::string& text) {
  ast::Query query = query_of("from S select " + text + " as x insert into Out;");
  if (query.selector.attributes.size() != 1) return {};
  const ast::Expression& expression = *query.selector.attributes[0].expression;
  EXPECT_TRUE(expression.kind == ast::Expression::Kind::kConstant ||
              expression.kind == ast::Expression::Kind::kTime)
      << text;
  return expression.constant;
}

TEST(Expressions, BindAsTheGrammarSays) {
  EXPECT_EQ(expression_of("a + b * c - d"), "((a + (b * c)) - d)");
  EXPECT_EQ(expression_of("a - b - c"), "((a - b) - c)");
  EXPECT_EQ(expression_of("a / b * c % d"), "(((a / b) * c) % d)");
  EXPECT_EQ(expression_of("a > b == c < d"), "((a > b) == (c < d))");
  EXPECT_EQ(expression_of("a or b and c or d"), "((a or (b and c)) or d)");
  EXPECT_EQ(expression_of("a == b in T and c"), "(((a == b) in T) and c)");
  EXPECT_EQ(expression_of("(a or b) and c"), "((a or b) and c)");
  EXPECT_EQ(expression_of("a>=1 and b<=2 or c!=3"),
            "(((a >= int:1) and (b <= int:2)) or (c != int:3))");
}

TEST(Expressions, NotBindsTighterThanComparison) {
  EXPECT_EQ(expression_of("not a == b"), "((not a) == b)");
  EXPECT_EQ(expression_of("not (a == b)"), "(not (a == b))");
  EXPECT_EQ(expression_of("not a is null"), "(not (a is null))");
  EXPECT_EQ(expression_of("a and not not b or c"), "((a and (not (not b))) or c)");
  EXPECT_EQ(expression_of("NOT f(a) AND b"), "((not f(a)) and b)");
}

TEST(Expressions, NullIsCheckedOfAttributesEventsAndFunctions) {
  EXPECT_EQ(expression_of("a is null and e1[1] is null or f(a) is null"),
            "(((a is null) and (e1[1] is null)) or (f(a) is null))");
  EXPECT_EQ(expression_of("#S is null"), "(#S is null)");
  EXPECT_EQ(expression_of("S.a is null == true"), "((S.a is null) == true)");
  EXPECT_EQ(errors_of("from S[(a) is null] select * insert into O;"), "");
  EXPECT_EQ(errors_of("from S[(a + b) is null] select * insert into O;"),
            "1:16: unexpected 'is'; expected an operator; hint: only attributes, events and "
            "functions are checked for null\n");
}

TEST(Expressions, ReferencesInAllForms) {
  for (const char* text : {"a", "S.a", "#S.a", "!S.a", "e1[0].a", "e1[last].a", "e1[last-2].a",
                           "e1[0]#S2[1].a", "e1#S2.a", "#e1[3]#S2[last].a"}) {
    EXPECT_EQ(expression_of(text), text);
  }
  EXPECT_EQ(expression_of("`a name`.`b` == c"), "(a name.b == c)");
  EXPECT_EQ(expression_of("e1 [ 0 ] . a"), "e1[0].a");
}

TEST(Expressions, WholeEventsStandOnlyWithNullChecks) {
  EXPECT_EQ(errors_of("from S[e1[0] > 5] select * insert into O;"),
            "1:14: unexpected '>'; expected '.' and an attribute, or 'is null'\n");
}

TEST(Expressions, FunctionsWithNamespaceStarAndNoArguments) {
  EXPECT_EQ(expression_of("str:concat(a, 'b', f()) == count(*)"),
            "(str:concat(a, 'b', f()) == count(*))");
  EXPECT_EQ(expression_of("min(a) > and(b) or or(c)"), "((min(a) > and(b)) or or(c))");
}

TEST(Expressions, KeywordsAreNames) {
  EXPECT_EQ(expression_of("order == limit and group > by or in in in"),
            "(((order == limit) and (group > by)) or (in in in))");
  EXPECT_EQ(expression_of("not == 5 and S.not is null"), "((not == int:5) and (S.not is null))");
  EXPECT_EQ(expression_of("sec > min and is is null"), "((sec > min) and (is is null))");
}

TEST(Expressions, NumbersHaveTheTypeOfTheirForm) {
  EXPECT_EQ(constant_of("5"), Value(int32_t{5}));
  EXPECT_EQ(constant_of("0l"), Value(int64_t{0}));
  EXPECT_EQ(constant_of("5L"), Value(int64_t{5}));
  EXPECT_EQ(constant_of("1f"), Value(1.0F));
  EXPECT_EQ(constant_of("1.5F"), Value(1.5F));
  EXPECT_EQ(constant_of("1.f"), Value(1.0F));
  EXPECT_EQ(constant_of("1.5"), Value(1.5));
  EXPECT_EQ(constant_of(".5"), Value(0.5));
  EXPECT_EQ(constant_of("1d"), Value(1.0));
  EXPECT_EQ(constant_of("1.d"), Value(1.0));
  EXPECT_EQ(constant_of("1e3"), Value(1000.0));
  EXPECT_EQ(constant_of("1.e-3D"), Value(0.001));
  EXPECT_EQ(constant_of("2.5E+2f"), Value(250.0F));
}

TEST(Expressions, SignsBelongToNumbers) {
  EXPECT_EQ(constant_of("-5"), Value(int32_t{-5}));
  EXPECT_EQ(constant_of("+5"), Value(int32_t{5}));
  EXPECT_EQ(constant_of("- 1.5f"), Value(-1.5F));
  EXPECT_EQ(constant_of("-2147483648"), Value(std::numeric_limits<int32_t>::min()));
  EXPECT_EQ(constant_of("-9223372036854775808L"), Value(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(expression_of("a -5 > - 3"), "((a - int:5) > int:-3)");
  EXPECT_TRUE(std::signbit(std::get<double>(constant_of("-0.0"))));
}

TEST(Expressions, NumbersThatDoNotFitAreErrors) {
  EXPECT_EQ(errors_of("from S[a > 2147483648] select * insert into O;"),
            "1:12: number '2147483648' does not fit an int; expected a number from -2147483648 to "
            "2147483647; hint: a long is written with an L at its end\n");
  EXPECT_EQ(errors_of("from S[a > 9223372036854775808L] select * insert into O;"),
            "1:12: number '9223372036854775808' does not fit a long; expected a number from -2^63 "
            "to 2^63 - 1\n");
}

TEST(Expressions, RealNumbersOverflowAsInJava) {
  EXPECT_EQ(constant_of("1e999"), Value(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(constant_of("-1e39f"), Value(-std::numeric_limits<float>::infinity()));
  EXPECT_EQ(constant_of("1e-999"), Value(0.0));
  EXPECT_EQ(constant_of("0e999"), Value(0.0));
}

TEST(Expressions, ConstantsOfOtherTypes) {
  EXPECT_EQ(constant_of("true"), Value(true));
  EXPECT_EQ(constant_of("FALSE"), Value(false));
  EXPECT_EQ(constant_of("'it is \"so\"'"), Value(std::string("it is \"so\"")));
  EXPECT_EQ(constant_of("\"it's\""), Value(std::string("it's")));
  EXPECT_EQ(constant_of("\"\"\"two\nlines, \"quoted\" 'both' \\n\"\"\""),
            Value(std::string("two\nlines, \"quoted\" 'both' \\n")));
  EXPECT_EQ(constant_of("''"), Value(std::string()));
}

TEST(Expressions, TimesAreMilliseconds) {
  EXPECT_EQ(constant_of("1 sec"), Value(int64_t{1000}));
  EXPECT_EQ(constant_of("1 hour 25 min"), Value(int64_t{85 * 60'000}));
  EXPECT_EQ(constant_of("1 year 1 month 1 week 1 day 1 hour 1 minute 1 second 1 millisecond"),
            Value(int64_t{(365 + 30 + 7 + 1) * 86'400'000LL + 3'600'000 + 60'000 + 1000 + 1}));
  EXPECT_EQ(constant_of("2days"), Value(int64_t{2 * 86'400'000}));
  EXPECT_EQ(constant_of("10 MILLISEC"), Value(int64_t{10}));
}

TEST(Expressions, TimesThatMakeNoSenseAreErrors) {
  EXPECT_EQ(errors_of("from S#window.time(1 sec 5 min) select * insert into O;"),
            "1:28: unexpected 'min'; expected a smaller unit; hint: units of time are written from "
            "the largest to the smallest\n");
  EXPECT_EQ(errors_of("from S#window.time(300000000 years) select * insert into O;"),
            "1:20: the time is too long; expected at most 10000 years\n");
  EXPECT_EQ(errors_of("from S#window.time(5 secnds) select * insert into O;"),
            "1:22: unexpected 'secnds'; expected 'seconds'; hint: did you mean 'seconds'?\n");
}

TEST(Expressions, KnowWhereTheyStart) {
  ast::Query query = query_of("from S\n select (a + b) * c as x,\n   f(d) as y insert into O;");
  ASSERT_EQ(query.selector.attributes.size(), 2u);
  const ast::Expression& product = *query.selector.attributes[0].expression;
  EXPECT_EQ(product.location.line, 2u);
  EXPECT_EQ(product.location.column, 9u);
  EXPECT_EQ(product.arguments[0]->location.column, 10u);
  EXPECT_EQ(product.arguments[1]->location.column, 19u);
  EXPECT_EQ(query.selector.attributes[1].expression->location.line, 3u);
  EXPECT_EQ(query.selector.attributes[1].expression->location.column, 4u);
}

TEST(Expressions, SlipsFromOtherLanguagesAreExplained) {
  EXPECT_EQ(errors_of("from S[a = 5 adn b = 6] select * insert into O;"),
            "1:10: unexpected '='; expected '=='; hint: equality is written '=='\n"
            "1:14: unexpected 'adn'; expected 'and'; hint: did you mean 'and'?\n"
            "1:20: unexpected '='; expected '=='; hint: equality is written '=='\n");
  EXPECT_EQ(errors_of("from S[a > 5 && b] select * insert into O;"),
            "1:14: unexpected character '&&'; hint: write 'and'\n");
  EXPECT_EQ(
      errors_of("from S[-a > 5] select * insert into O;"),
      "1:8: unexpected '-'; expected an attribute, a constant, a function or '('; hint: there "
      "is no minus sign for attributes: write (0 - a)\n");
}

}  // namespace
}  // namespace pollux
