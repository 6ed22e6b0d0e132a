#include "ha/pair/recent_entries.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

RecentEntries entries_from_3_to_7(size_t bytes_max = size_t{1} << 20) {
  RecentEntries recent(bytes_max);
  for (uint64_t position = 3; position <= 7; ++position) {
    recent.append(Entry{{{1}, {position}}, {}, TickPayload{}});
  }
  return recent;
}

void expect_there(const RecentEntries& recent, uint64_t first, uint64_t last) {
  for (uint64_t position = 1; position <= 9; ++position) {
    const Entry* found = recent.find({position});
    ASSERT_EQ(found != nullptr, first <= position && position <= last) << position;
    if (found != nullptr) EXPECT_EQ(found->id.position.value, position);
  }
}

TEST(RecentEntriesTest, WhatIsForgottenIsGoneAndTheOthersAreFound) {
  RecentEntries recent = entries_from_3_to_7();
  expect_there(recent, 3, 7);
  recent.forget({2});
  expect_there(recent, 3, 7);
  recent.forget({5});
  expect_there(recent, 6, 7);
  recent.append(Entry{{{1}, {8}}, {}, TickPayload{}});
  expect_there(recent, 6, 8);
  recent.forget({9});
  expect_there(recent, 1, 0);
}

TEST(RecentEntriesTest, WhatStandsNowhereElseIsKeptBeyondTheLimit) {
  RecentEntries recent = entries_from_3_to_7(0);
  recent.shrink({4});
  expect_there(recent, 5, 7);
  recent.truncate({6});
  expect_there(recent, 5, 6);
}

}  // namespace
}  // namespace pollux
