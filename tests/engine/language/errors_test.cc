// All mistakes of a text are found, each with its place and what to do about it.
#include <gtest/gtest.h>

#include "tests/engine/language/parse_helpers.h"

namespace pollux {
namespace {

using test::errors_of;

TEST(Errors, FiveDifferentMistakesAreAllReported) {
  EXPECT_EQ(
      errors_of("define stream S (a strnig, b int);\n"
                "form S select a insert into O;\n"
                "from S[b > ] select a insert into O;\n"
                "from S select a, count() insert into O;\n"
                "from S#window.time(5 secs select a insert into O;\n"),
      "1:20: unknown type 'strnig'; expected a type: string, int, long, float, double, bool or "
      "object; hint: did you mean 'string'?\n"
      "2:1: unexpected 'form'; expected 'from'; hint: did you mean 'from'?\n"
      "3:12: unexpected ']'; expected an attribute, a constant, a function or '('\n"
      "4:26: unexpected 'insert'; expected an operator or 'as'; hint: what is computed needs a "
      "name: write '.. as name'\n"
      "5:22: unexpected 'secs'; expected 'sec'; hint: did you mean 'sec'?\n"
      "5:27: unexpected 'select'; expected an operator, ',' or ')'\n");
}

TEST(Errors, MisspeltKeywordsAreReadOnFrom) {
  EXPECT_EQ(errors_of("defin straem S (a int);"),
            "1:1: unexpected 'defin'; expected 'define'; hint: did you mean 'define'?\n"
            "1:7: unexpected 'straem'; expected 'stream'; hint: did you mean 'stream'?\n");
  EXPECT_EQ(errors_of("from S slect a gruop by a havin a > 1 insrt ino O;"),
            "1:8: unexpected 'slect'; expected 'select'; hint: did you mean 'select'?\n"
            "1:16: unexpected 'gruop'; expected 'group'; hint: did you mean 'group'?\n"
            "1:27: unexpected 'havin'; expected 'having'; hint: did you mean 'having'?\n"
            "1:39: unexpected 'insrt'; expected 'insert'; hint: did you mean 'insert'?\n"
            "1:45: unexpected 'ino'; expected 'into'; hint: did you mean 'into'?\n");
  EXPECT_EQ(errors_of("from A#windw.length(1) jion B onn A.x == B.x select x outptu evry 5 evnts "
                      "insert all event into O"),
            "1:8: unexpected 'windw'; expected 'window'; hint: did you mean 'window'?\n"
            "1:24: unexpected 'jion'; expected 'join'; hint: did you mean 'join'?\n"
            "1:31: unexpected 'onn'; expected 'on'; hint: did you mean 'on'?\n"
            "1:55: unexpected 'outptu'; expected 'output'; hint: did you mean 'output'?\n"
            "1:62: unexpected 'evry'; expected 'every'; hint: did you mean 'every'?\n"
            "1:69: unexpected 'evnts'; expected 'events'; hint: did you mean 'events'?\n"
            "1:86: unexpected 'event'; expected 'events'; hint: did you mean 'events'?\n");
  EXPECT_EQ(errors_of("partion wth (a of S) bgin from S select a insert into O; ennd;"),
            "1:1: unexpected 'partion'; expected 'partition'; hint: did you mean 'partition'?\n"
            "1:9: unexpected 'wth'; expected 'with'; hint: did you mean 'with'?\n"
            "1:22: unexpected 'bgin'; expected 'begin'; hint: did you mean 'begin'?\n"
            "1:58: unexpected 'ennd'; expected 'end'; hint: did you mean 'end'?\n");
}

TEST(Errors, AForgottenSemicolonCostsNothing) {
  EXPECT_EQ(
      errors_of("define stream S (a int)\nfrom S select a insert into O\n@info(name='q') from S "
                "select a insert into P\npartition with (a of S) begin from S select a insert "
                "into O from S select x insert into Q end define stream T (wrong)"),
      "2:1: unexpected 'from'; expected ';'\n"
      "3:1: unexpected '@'; expected ';'\n"
      "4:1: unexpected 'partition'; expected ';'\n"
      "4:61: unexpected 'from'; expected ';' or 'end'\n"
      "4:95: unexpected 'define'; expected ';'\n"
      "4:117: unexpected ')'; expected a type: string, int, long, float, double, bool or "
      "object\n");
}

TEST(Errors, AnErrorEndsWithItsStatement) {
  EXPECT_EQ(errors_of("define stream (a int); define stream S (a int,); from S[ select; from S "
                      "select a insert into;"),
            "1:15: unexpected '('; expected the stream's name\n"
            "1:47: unexpected ')'; expected an attribute's name\n"
            "1:64: unexpected ';'; expected an operator or ']'\n"
            "1:93: unexpected ';'; expected the name of a stream, table or window\n");
  EXPECT_EQ(
      errors_of("from S [[[ define stream S (a wrong"),
      "1:9: unexpected '['; expected an attribute, a constant, a function or '('\n"
      "1:31: unknown type 'wrong'; expected a type: string, int, long, float, double, bool or "
      "object\n"
      "1:36: unexpected end of the text; expected ',' or ')'\n");
}

TEST(Errors, InsidePartitionsTheNextQueryIsRead) {
  EXPECT_EQ(errors_of("partition with (a of S) begin\n"
                      "from S[> select a insert into O;\n"
                      "from S select a insert O;\n"
                      "from S select a inser into O\n"
                      "end;\n"
                      "from S slect a insert into O;"),
            "2:8: unexpected '>'; expected an attribute, a constant, a function or '('\n"
            "3:24: unexpected 'O'; expected 'into'\n"
            "4:17: unexpected 'inser'; expected 'insert'; hint: did you mean 'insert'?\n"
            "6:8: unexpected 'slect'; expected 'select'; hint: did you mean 'select'?\n");
  EXPECT_EQ(errors_of("partition with (a S) begin\nfrom S[> select a insert into O;\nend;"),
            "1:19: unexpected 'S'; expected an operator, 'of' or 'as'\n"
            "2:8: unexpected '>'; expected an attribute, a constant, a function or '('\n");
}

TEST(Errors, APartitionWithoutEndStopsAtTheNextDefinition) {
  EXPECT_EQ(errors_of("partition with (a of S) begin from S select a insert into O;\n"
                      "define stream T (a itn);"),
            "2:1: unexpected 'define'; expected 'end'\n"
            "2:20: unknown type 'itn'; expected a type: string, int, long, float, double, bool or "
            "object; hint: did you mean 'int'?\n");
}

TEST(Errors, WrongCharactersAreNotReportedTwice) {
  EXPECT_EQ(errors_of("from S[a $ b] select a insert into O; from S select a insert into ?;"),
            "1:10: unexpected character '$'; hint: ${parameters} are replaced before a plan is "
            "read\n"
            "1:67: unexpected '?'; expected the name of a stream, table or window\n");
}

TEST(Errors, AnEmptyPlanIsAnError) {
  EXPECT_EQ(errors_of(""), "1:1: the plan is empty; expected a definition or a query\n");
  EXPECT_EQ(errors_of(" -- nothing\n;;"),
            "2:3: the plan is empty; expected a definition or a query\n");
  EXPECT_NE(errors_of("@app:name('x')"), "");
  EXPECT_EQ(
      errors_of("@info(name='x')"),
      "1:16: unexpected end of the text; expected 'define', 'from', 'partition' or '@'; hint: "
      "an annotation stands before what it speaks of\n");
}

TEST(Errors, TooManyAreCut) {
  std::string text;
  for (size_t i = 0; i < 3 * kDiagnosticsMax; ++i) text += "from;\n";
  Diagnostics diagnostics = parse_plan(text).diagnostics;
  ASSERT_EQ(diagnostics.size(), kDiagnosticsMax + 1);
  EXPECT_EQ(diagnostics.back().message, "too many errors; the rest is not reported");
}

TEST(Errors, WhatCouldBeReadIsInThePlan) {
  ParseResult result =
      parse_plan("define stream S (a int); from S[; from S select a insert into O;");
  EXPECT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.plan.definitions.size(), 1u);
  EXPECT_EQ(result.plan.elements.size(), 1u);
}

}  // namespace
}  // namespace pollux
