// Tokens and their places.
#include "engine/language/lexer.h"

#include <gtest/gtest.h>

#include "engine/language/diagnostics.h"

namespace pollux {
namespace {

/// The tokens of a text as kind letter and text, and then its errors.
std::string tokens_of(std::string_view text) {
  Diagnostics diagnostics;
  std::string out;
  for (const Token& token : tokenize(text, diagnostics)) {
    if (token.kind == TokenKind::kEnd) break;
    out += out.empty() ? "" : " ";
    out += "EwqsilfdSy"[static_cast<size_t>(token.kind) - 1];
    out += ":" + std::string(token.text);
  }
  return out + (diagnostics.empty() ? "" : "\n" + to_text(diagnostics, "text"));
}

TEST(Lexer, NumbersOfAllForms) {
  EXPECT_EQ(tokens_of("1 1l 1L 1f 1.5F 1.5 .5 1d 1e3 1.e3 1.f 1e-3f"),
            "i:1 l:1 l:1 f:1 f:1.5 d:1.5 d:.5 d:1 d:1e3 d:1.e3 f:1. f:1e-3");
}

TEST(Lexer, NumbersEndWhereTheyMakeNoMoreSense) {
  EXPECT_EQ(tokens_of("e1[1].a"), "w:e1 y:[ i:1 y:] y:. w:a");
  EXPECT_EQ(tokens_of("1.a"), "i:1 y:. w:a");
  EXPECT_EQ(tokens_of("1e 2days 3Lx"), "i:1 w:e i:2 w:days i:3 w:Lx");
  EXPECT_EQ(tokens_of("sec...year 1...2"), "w:sec y:... w:year i:1 y:... i:2");
  EXPECT_EQ(tokens_of("1.2.3"), "d:1.2 d:.3");
}

TEST(Lexer, TheLongestSymbolIsTaken) {
  EXPECT_EQ(
      tokens_of("a->b>=c<=d==e!=f<2:>->g=!h"),
      "w:a y:-> w:b y:>= w:c y:<= w:d y:== w:e y:!= w:f y:< i:2 y:: y:> y:-> w:g y:= y:! w:h");
}

TEST(Lexer, PlacesCountLinesAndBytes) {
  Diagnostics diagnostics;
  std::vector<Token> tokens =
      tokenize("a\n  \xC3\xA4 b /* \n */ \"\"\"x\ny\"\"\" c\r\nd", diagnostics);
  ASSERT_EQ(tokens.size(), 7u);
  EXPECT_EQ(tokens[1].kind, TokenKind::kError);
  EXPECT_EQ(tokens[2].location.line, 2u);
  EXPECT_EQ(tokens[2].location.column, 6u);
  EXPECT_EQ(tokens[3].location.line, 3u);
  EXPECT_EQ(tokens[4].location.line, 4u);
  EXPECT_EQ(tokens[4].location.column, 6u);
  EXPECT_EQ(tokens[5].location.line, 5u);
  EXPECT_EQ(tokens[5].location.column, 1u);
}

TEST(Lexer, KeywordsIgnoreLetterCase) {
  EXPECT_EQ(keyword_from("SeLeCt"), Keyword::kSelect);
  EXPECT_EQ(keyword_from("minute"), Keyword::kMinutes);
  EXPECT_EQ(keyword_from("unidirectional"), Keyword::kUnidirectional);
  EXPECT_EQ(keyword_from("unidirectionals"), Keyword::kNone);
  EXPECT_EQ(keyword_from("selec"), Keyword::kNone);
  EXPECT_EQ(keyword_from(""), Keyword::kNone);
  EXPECT_EQ(text_of(Keyword::kMinutes), "min");
}

TEST(Lexer, QuotedNamesAreNoKeywords) {
  Diagnostics diagnostics;
  std::vector<Token> tokens = tokenize("`select`", diagnostics);
  EXPECT_EQ(tokens[0].kind, TokenKind::kQuoted);
  EXPECT_EQ(tokens[0].keyword, Keyword::kNone);
}

TEST(Lexer, UnfinishedThingsAreReportedAndTheRestIsRead) {
  EXPECT_EQ(tokens_of("'abc\nd"),
            "s:abc w:d\n"
            "text:1:1: error: unfinished string; expected a closing ' on the same line; hint: text "
            "of several lines stands in \"\"\"three quotes\"\"\"\n");
  EXPECT_EQ(tokens_of("a `b\nc"),
            "w:a q:b w:c\n"
            "text:1:3: error: unfinished quoted name; expected a closing ` on the same line\n");
  EXPECT_EQ(tokens_of("a \"\"\"b\nc"),
            "w:a s:b\nc\ntext:1:3: error: unfinished string; expected a closing \"\"\"\n");
  EXPECT_EQ(tokens_of("a /* b"),
            "w:a\ntext:1:3: error: unfinished comment; expected '*/'; hint: everything behind '/*' "
            "is left out\n");
  EXPECT_EQ(tokens_of("a { b\nc"),
            "w:a E:{ w:c\ntext:1:3: error: unfinished script: '{' without its '}'; expected '}'\n");
}

TEST(Lexer, WrongCharactersAreReportedOnceARun) {
  EXPECT_EQ(tokens_of("a $$$ b"),
            "w:a E:$$$ w:b\ntext:1:3: error: unexpected character '$$$'; hint: ${parameters} are "
            "replaced before a plan is read\n");
  EXPECT_EQ(tokens_of(std::string_view("a\0b", 3)),
            std::string("w:a E:") + '\0' + " w:b\ntext:1:2: error: unexpected character '\\x00'\n");
  EXPECT_EQ(tokens_of("'a\x01'"),
            "s:a\x01\ntext:1:1: error: control character in a string; expected printable "
            "characters\n");
}

}  // namespace
}  // namespace pollux
