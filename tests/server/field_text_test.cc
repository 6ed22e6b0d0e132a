#include "server/formats/field_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pollux {
namespace {

TEST(FieldTextTest, ReadsIntsToTheirLimits) {
  int32_t value = 0;
  EXPECT_EQ(parse_field("2147483647", value), FieldFault::kNone);
  EXPECT_EQ(value, std::numeric_limits<int32_t>::max());
  EXPECT_EQ(parse_field("-2147483648", value), FieldFault::kNone);
  EXPECT_EQ(value, std::numeric_limits<int32_t>::min());
  EXPECT_EQ(parse_field("2147483648", value), FieldFault::kOutOfRange);
  EXPECT_EQ(parse_field(" +5\t", value), FieldFault::kNone);
  EXPECT_EQ(value, 5);
}

TEST(FieldTextTest, RefusesWhatIsNotAWholeNumber) {
  int64_t value = 7;
  for (const char* text : {"", " ", "abc", "1.0", "1e3", "12x", "+-5", "--5", "0x10", "1 2", "+"}) {
    EXPECT_EQ(parse_field(text, value), FieldFault::kWrongType) << text;
  }
  EXPECT_EQ(parse_field("99999999999999999999", value), FieldFault::kOutOfRange);
  EXPECT_EQ(value, 7);
}

TEST(FieldTextTest, ReadsFractions) {
  double value = 0;
  EXPECT_EQ(parse_field("-1.5e3", value), FieldFault::kNone);
  EXPECT_EQ(value, -1500.0);
  EXPECT_EQ(parse_field("NaN", value), FieldFault::kNone);
  EXPECT_TRUE(std::isnan(value));
  EXPECT_EQ(parse_field("-infinity", value), FieldFault::kNone);
  EXPECT_TRUE(std::isinf(value));
  EXPECT_EQ(parse_field("1e999", value), FieldFault::kOutOfRange);
  EXPECT_EQ(parse_field("1,5", value), FieldFault::kWrongType);
  float single = 0;
  EXPECT_EQ(parse_field("0.1", single), FieldFault::kNone);
  EXPECT_EQ(single, 0.1f);
  EXPECT_EQ(parse_field("1e39", single), FieldFault::kOutOfRange);
}

TEST(FieldTextTest, ReadsBoolsInAnyLetterCase) {
  bool value = false;
  EXPECT_EQ(parse_field("TRUE", value), FieldFault::kNone);
  EXPECT_TRUE(value);
  EXPECT_EQ(parse_field("False", value), FieldFault::kNone);
  EXPECT_FALSE(value);
  for (const char* text : {"1", "0", "yes", "tru", "truee", "\x14rue"}) {
    EXPECT_EQ(parse_field(text, value), FieldFault::kWrongType) << text;
  }
}

TEST(FieldTextTest, MessagesShowValuesSafely) {
  EXPECT_EQ(quoted_for_message("ab\x01\x1b[31m"), "\"ab\\x01\\x1B[31m\"");
  EXPECT_EQ(quoted_for_message("\xC3\xA9"), "\"\xC3\xA9\"");
  EXPECT_EQ(quoted_for_message("\xC3("), "\"\\xC3(\"");
  EXPECT_EQ(quoted_for_message(std::string(1000, 'x')).size(), 48u + 5u);
  // A cut does not split a character.
  EXPECT_EQ(quoted_for_message(std::string(47, 'x') + "\xC3\xA9zzz"),
            "\"" + std::string(47, 'x') + "...\"");
  EXPECT_EQ(field_error(FieldFault::kOutOfRange, "3000000000", AttributeType::kInt).reason,
            "3000000000 is out of the range of int (-2147483648 to 2147483647)");
}

}  // namespace
}  // namespace pollux
