#include "engine/language/parameters.h"

#include <gtest/gtest.h>

#include "engine/language/parser.h"
#include "engine/runtime/engine.h"

namespace pollux {
namespace {

const PlanParameters kGiven = {{"limit", "5"},        {"stream", "Logins"}, {"two.lines", "a\n  b"},
                               {"again", "${limit}"}, {"empty", ""},        {"quote", "it's"}};

std::string filled(std::string_view text) {
  FilledText out(text, kGiven);
  return to_text(out.errors(), "plan") + out.text();
}

std::string place(Location location) {
  return std::to_string(location.line) + ":" + std::to_string(location.column);
}

TEST(Parameters, AreReplacedEverywhereButInComments) {
  EXPECT_EQ(filled("from ${stream}[a > ${limit}]"), "from Logins[a > 5]");
  EXPECT_EQ(filled("${limit}${limit}"), "55");
  EXPECT_EQ(filled("'${limit}' \"${limit}\" \"\"\"${limit}\"\"\" `${stream}`"),
            "'5' \"5\" \"\"\"5\"\"\" `Logins`");
  EXPECT_EQ(filled("-- ${limit} ${nothing}\n${limit}"), "-- ${limit} ${nothing}\n5");
  EXPECT_EQ(filled("/* ${nothing}\n ${limit} */ ${limit} /* ${limit}"),
            "/* ${nothing}\n ${limit} */ 5 /* ${limit}");
  EXPECT_EQ(filled("{ i--; return ${limit}; } -- ${limit}"), "{ i--; return 5; } -- ${limit}");
  EXPECT_EQ(filled("{ if (a) { b; } ${limit}-- ${limit}}"), "{ if (a) { b; } 5-- 5}");
  EXPECT_EQ(filled("x ${empty}y"), "x y");
}

TEST(Parameters, CommentSignsInStringsBeginNone) {
  EXPECT_EQ(filled("'a -- ${limit}' '/* ${limit}'"), "'a -- 5' '/* 5'");
  EXPECT_EQ(filled("\"it's -- \" ${limit} -- '\n${limit}"), "\"it's -- \" 5 -- '\n5");
  EXPECT_EQ(filled("`a--b` ${limit}"), "`a--b` 5");
  // A string that is not closed ends with its line.
  EXPECT_EQ(filled("'a\n-- ${limit}\n${limit}"), "'a\n-- ${limit}\n5");
}

TEST(Parameters, DefaultsStandWhereNoValueIsGiven) {
  EXPECT_EQ(filled("${limit:7} ${other:7} ${none:} ${url:http://x:80/a}"), "5 7  http://x:80/a");
  EXPECT_EQ(filled("'${other:it is {0}'"), "'it is {0'");
}

TEST(Parameters, WhatOnlyLooksLikeOneStays) {
  for (const char* text : {"${a b}", "${}", "${:x}", "$limit", "${limit", "$", "${", "$ {limit}",
                           "${limit:a\nb}", "${limit:", "${na\xC3\xADve}"}) {
    EXPECT_EQ(filled(text), text);
  }
}

TEST(Parameters, ValuesAreNotLookedInto) {
  EXPECT_EQ(filled("${again} ${x:$}{limit}"), "${limit} ${limit}");
  EXPECT_EQ(filled("'${quote}'"), "'it's'");  // a value is text, whatever it breaks
}

TEST(Parameters, OneWithoutAValueHasAPlace) {
  EXPECT_EQ(filled("from S\n  [a > ${limits}]${x}"),
            "plan:2:8: error: parameter 'limits' has no value; expected a value for it, or a "
            "default: ${limits:...}; hint: did you mean 'limit'?\n"
            "plan:2:18: error: parameter 'x' has no value; expected a value for it, or a default: "
            "${x:...}\n"
            "from S\n  [a > ]");
}

TEST(Parameters, PlacesAreThoseOfTheOriginal) {
  FilledText text("ab ${limit} cd\n${two.lines} ef\ngh ${stream}", kGiven);
  ASSERT_EQ(text.text(), "ab 5 cd\na\n  b ef\ngh Logins");
  EXPECT_EQ(place(text.original({1, 1})), "1:1");
  EXPECT_EQ(place(text.original({1, 4})), "1:4");   // the value
  EXPECT_EQ(place(text.original({1, 6})), "1:13");  // c
  EXPECT_EQ(place(text.original({2, 1})), "2:1");   // the value of two lines
  EXPECT_EQ(place(text.original({3, 3})), "2:1");
  EXPECT_EQ(place(text.original({3, 5})), "2:14");  // e
  EXPECT_EQ(place(text.original({4, 2})), "3:2");
  EXPECT_EQ(place(text.original({4, 6})), "3:4");
  EXPECT_EQ(place(text.original({4, 10})), "3:13");  // the end
}

TEST(Parameters, MistakesInAFilledPlanAreToldAtTheOriginal) {
  FilledText text("define stream S (a int);\nfrom S[a > ${limit} and b] select a insert into O;",
                  kGiven);
  Diagnostics diagnostics = Engine::validate(text.text());
  text.to_original(diagnostics);
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_EQ(place(diagnostics[0].location), "2:25");
}

TEST(Parameters, AHugeTextIsGivenUp) {
  PlanParameters given = {{"x", std::string(1'000'000, 'a')}};
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "${x}";
  FilledText out(text, given);
  EXPECT_GT(out.text().size(), kTextBytesMax);  // and so refused when it is read
  EXPECT_LT(out.text().size(), kTextBytesMax + 2'000'000);
}

}  // namespace
}  // namespace pollux
