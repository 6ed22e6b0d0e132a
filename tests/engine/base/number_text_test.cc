// Numbers as text, as Java's toString writes them.
#include "engine/base/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace pollux {
namespace {

TEST(NumberText, PlainBetweenAThousandthAndTenMillions) {
  EXPECT_EQ(number_text(1.0), "1.0");
  EXPECT_EQ(number_text(0.001), "0.001");
  EXPECT_EQ(number_text(9999999.0), "9999999.0");
  EXPECT_EQ(number_text(1e7), "1.0E7");
  EXPECT_EQ(number_text(0.00099), "9.9E-4");
  EXPECT_EQ(number_text(-0.0), "-0.0");
  EXPECT_EQ(number_text(0.1f), "0.1");
}

TEST(NumberText, TwoDigitsAtLeastAndTheNearestTwo) {
  EXPECT_EQ(number_text(std::numeric_limits<double>::denorm_min()), "4.9E-324");
  EXPECT_EQ(number_text(std::numeric_limits<float>::denorm_min()), "1.4E-45");
  EXPECT_EQ(number_text(2e23), "2.0E23");
  EXPECT_EQ(number_text(1e-5f), "1.0E-5");
}

}  // namespace
}  // namespace pollux
