// Messages, and the nearest known name.
#include "engine/language/diagnostics.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

TEST(Diagnostics, AreOneLineEach) {
  Diagnostics two = {{{3, 7}, "unexpected 'x'", "'y'", "did you mean 'y'?"},
                     {{4, 1}, "bad", "", ""}};
  EXPECT_EQ(to_text(two, "a.siddhi"),
            "a.siddhi:3:7: error: unexpected 'x'; expected 'y'; hint: did you mean 'y'?\n"
            "a.siddhi:4:1: error: bad\n");
  EXPECT_EQ(to_text({}, "a"), "");
}

TEST(Diagnostics, QuotedTextIsPrintableAndShort) {
  EXPECT_EQ(in_quotes("abc"), "'abc'");
  EXPECT_EQ(in_quotes("a\nb\x7F"), "'a\\x0Ab\\x7F'");
  EXPECT_EQ(in_quotes("\xC3\xA4 \xF0\x9F\x98\x80"), "'\xC3\xA4 \xF0\x9F\x98\x80'");
  EXPECT_EQ(in_quotes("\xC3 \xE2\x82 \xC0\x80 \xED\xA0\x80"),
            "'\\xC3 \\xE2\\x82 \\xC0\\x80 \\xED\\xA0\\x80'");
  EXPECT_EQ(in_quotes(std::string(100, 'a')), "'" + std::string(40, 'a') + "...'");
}

TEST(NearestName, FindsMisspellings) {
  std::vector<std::string> names = {"symbol", "price", "volume"};
  EXPECT_EQ(nearest_name("symbl", names), "symbol");
  EXPECT_EQ(nearest_name("smybol", names), "symbol");
  EXPECT_EQ(nearest_name("prices", names), "price");
  EXPECT_EQ(nearest_name("PRICE", names), "price");
}

TEST(NearestName, IsEmptyWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("temperature", {"symbol", "price"}), "");
  EXPECT_EQ(nearest_name("abc", {"xyz"}), "");
  EXPECT_EQ(nearest_name("a", {"b"}), "");
  EXPECT_EQ(nearest_name("", {"a"}), "");
  EXPECT_EQ(nearest_name("abc", {}), "");
}

TEST(NearestName, BreaksTiesByLetterCaseThenLengthThenOrder) {
  EXPECT_EQ(nearest_name("form", {"for", "from"}), "from");
  EXPECT_EQ(nearest_name("price", {"Price", "price"}), "price");
  EXPECT_EQ(nearest_name("pricf", {"Price", "price"}), "price");
  EXPECT_EQ(nearest_name("abcx", {"abca", "abcb"}), "abca");
  EXPECT_EQ(nearest_name("abcx", {"abcb", "abca"}), "abcb");
}

TEST(NearestName, IsAThirdOfTheLengthAway) {
  EXPECT_EQ(nearest_name("abcdef", {"abxxef"}), "abxxef");
  EXPECT_EQ(nearest_name("abcdef", {"axxxef"}), "");
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'a'), {std::string(1'000'000, 'b')}), "");
}

}  // namespace
}  // namespace pollux
