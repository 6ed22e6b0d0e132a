#include "ha/pair/epoch_history.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

EntryId id(uint64_t epoch, uint64_t position) { return {{epoch}, {position}}; }

TEST(EpochHistory, KnowsTheEpochOfEachEntry) {
  EpochHistory history({id(1, 3), id(4, 5)});
  EXPECT_EQ(history.at({0}), id(0, 0));
  EXPECT_EQ(history.at({1}), id(1, 1));
  EXPECT_EQ(history.at({3}), id(1, 3));
  EXPECT_EQ(history.at({4}), id(4, 4));
  EXPECT_EQ(history.last(), id(4, 5));
  EXPECT_TRUE(history.holds(id(4, 5)));
  EXPECT_FALSE(history.holds(id(1, 4)));
  EXPECT_FALSE(history.holds(id(4, 6)));
}

TEST(EpochHistory, GrowsAndIsCut) {
  EpochHistory history;
  for (uint64_t position = 1; position <= 3; ++position) history.append(id(2, position));
  history.append(id(5, 4));
  EXPECT_EQ(history.ends(), (std::vector<EntryId>{id(2, 3), id(5, 4)}));
  history.truncate({3});
  EXPECT_EQ(history.ends(), (std::vector<EntryId>{id(2, 3)}));
  history.truncate({1});
  EXPECT_EQ(history.last(), id(2, 1));
  history.truncate({7});
  EXPECT_EQ(history.last(), id(2, 1));
  history.truncate({0});
  EXPECT_EQ(history.last(), id(0, 0));
}

TEST(EpochHistory, MatchesUpToTheLastEntryThatBothHave) {
  EpochHistory ours({id(1, 10), id(3, 20)});
  auto match = [&](std::vector<EntryId> theirs) {
    return EpochHistory::match(ours, EpochHistory(std::move(theirs)));
  };
  EXPECT_EQ(match({}), id(0, 0));
  EXPECT_EQ(match({id(1, 4)}), id(1, 4));
  EXPECT_EQ(match({id(1, 12)}), id(1, 10));             // its tail was never committed
  EXPECT_EQ(match({id(1, 10), id(2, 15)}), id(1, 10));  // it led, and nobody else knows
  EXPECT_EQ(match({id(1, 10), id(3, 18)}), id(3, 18));  // it is behind
  EXPECT_EQ(match({id(1, 10), id(3, 25)}), id(3, 20));
  EXPECT_EQ(match({id(2, 5)}), id(0, 0));
}

TEST(EpochHistory, OfATrimmedJournalMatchesWhatWasTrimmedToo) {
  EpochHistory ours({id(5, 999), id(6, 1100)});  // the journal begins with 1000
  EXPECT_EQ(EpochHistory::match(ours, EpochHistory({id(4, 500), id(5, 900)})), id(5, 900));
}

TEST(EpochHistory, IsInvalidWhenItDoesNotGrow) {
  EXPECT_TRUE(EpochHistory().is_valid());
  EXPECT_TRUE(EpochHistory({id(1, 1), id(2, 2)}).is_valid());
  EXPECT_FALSE(EpochHistory({id(2, 1), id(1, 2)}).is_valid());
  EXPECT_FALSE(EpochHistory({id(1, 2), id(2, 2)}).is_valid());
  EXPECT_FALSE(EpochHistory({id(0, 2)}).is_valid());
  EXPECT_FALSE(EpochHistory({id(1, 0)}).is_valid());
}

}  // namespace
}  // namespace pollux
