#include "ha/producers/producer_table.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

using Verdict = ProducerTable::Verdict;

TEST(ProducerTable, CountsUpByOne) {
  ProducerTable table(1000, 10);
  EXPECT_EQ(table.judge("p", 2).verdict, Verdict::kOutOfTurn);
  EXPECT_EQ(table.judge("p", 1).verdict, Verdict::kNext);
  table.take("p", 1, {{1}, {5}}, 0);
  ProducerTable::Judged seen = table.judge("p", 1);
  EXPECT_EQ(seen.verdict, Verdict::kSeen);
  EXPECT_EQ(seen.last.position.value, 5);
  EXPECT_EQ(table.judge("p", 0).verdict, Verdict::kSeen);
  EXPECT_EQ(table.judge("p", 3).expected, 2);
}

TEST(ProducerTable, ForgetsWhoWasNotHeardOf) {
  ProducerTable table(1000, 10);
  table.take("old", 1, {}, 0);
  table.take("new", 1, {}, 900);
  EXPECT_EQ(table.judge("old", 2).verdict, Verdict::kNext);
  table.take("new", 2, {}, 1500);
  EXPECT_EQ(table.judge("old", 2).verdict, Verdict::kOutOfTurn);
  EXPECT_EQ(table.judge("new", 3).verdict, Verdict::kNext);
  EXPECT_EQ(table.size(), 1);
}

TEST(ProducerTable, HasABound) {
  ProducerTable table(1000, 1);
  table.take("p", 1, {}, 0);
  EXPECT_EQ(table.judge("q", 1).verdict, Verdict::kTooMany);
  EXPECT_EQ(table.judge("p", 2).verdict, Verdict::kNext);
}

}  // namespace
}  // namespace pollux
