#include "server/node/result_log.h"

#include <gtest/gtest.h>

#include "tests/server/node/result_testing.h"

namespace pollux {
namespace {

TEST(ResultLog, GivesRowsFromWhereAReaderStands) {
  ResultLog log(result_schema(), 1 << 20);
  add(log, slice_at(1, 2));
  add(log, slice_at(2, 3));
  ResultLog::Read read = log.read(1, 100);
  ASSERT_EQ(read.slices.size(), 2);
  EXPECT_EQ(read.slices[0]->first, 0);
  EXPECT_EQ(read.slices[1]->first, 2);
  EXPECT_EQ(read.next, 5);
  EXPECT_TRUE(log.read(5, 100).slices.empty());
  EXPECT_EQ(log.read(0, 1).next, 2);
}

TEST(ResultLog, ForgetsTheOldestAndSaysSo) {
  ResultLog log(result_schema(), 2000);
  for (uint64_t p = 1; p <= 100; ++p) add(log, slice_at(p, 1));
  EXPECT_GT(log.begin(), 0);
  EXPECT_LE(log.bytes(), 2000);
  ResultLog::Read read = log.read(0, 10);
  EXPECT_TRUE(read.forgotten);
  EXPECT_EQ(read.next, log.begin());
  EXPECT_FALSE(log.full());
}

TEST(ResultLog, AHoldKeepsRowsUntilTheyAreConfirmed) {
  ResultLog log(result_schema(), 2000);
  auto hold = log.hold(0);
  for (uint64_t p = 1; p <= 100; ++p) add(log, slice_at(p, 1));
  EXPECT_EQ(log.begin(), 0);
  EXPECT_TRUE(log.full());
  bool room = false;
  log.when_not_full([&] { room = true; });
  EXPECT_FALSE(room);
  hold->confirm(100);
  EXPECT_TRUE(room);
  EXPECT_GT(log.begin(), 0);
  hold.reset();
  log.when_not_full([&] { room = false; });
  EXPECT_FALSE(room);
}

TEST(ResultLog, FindsAnIdThatItStillHolds) {
  ResultLog log(result_schema(), 1 << 20);
  add(log, slice_at(1, 2, "a/b"));
  add(log, slice_at(1, 2, "c"));
  EXPECT_EQ(log.offset_behind("-1234/a/b/3.1.1"), 2);
  EXPECT_EQ(log.offset_behind("-1234/c/3.1.0"), 3);
  for (const char* unknown : {"-1234/c/3.1.2", "-1234/c/4.1.0", "-1234/d/3.1.0", "", "-1234/c/3.1",
                              "1/c/3.1.0", "-1234/c/3.1.0x", "-1234/c/-3.1.0"}) {
    EXPECT_FALSE(log.offset_behind(unknown)) << unknown;
  }
}

TEST(ResultLog, EndsWithItsLastWriter) {
  ResultLog log(result_schema(), 1 << 20);
  int calls = 0;
  auto listener = log.listen([&] { ++calls; });
  auto first = log.write();
  auto second = log.write();
  first.reset();
  add(log, slice_at(1, 1));
  EXPECT_FALSE(log.read(1, 1).ended);
  EXPECT_EQ(calls, 1);
  second.reset();
  EXPECT_EQ(calls, 2) << "who waits hears it";
  EXPECT_FALSE(log.read(0, 1).ended) << "first what is left";
  EXPECT_TRUE(log.read(1, 1).ended);
}

TEST(ResultLog, AListenerIsCalledForWhatIsNewUntilItGoes) {
  ResultLog log(result_schema(), 1 << 20);
  int calls = 0;
  auto listener = log.listen([&] { ++calls; });
  add(log, slice_at(1, 1));
  listener.reset();
  add(log, slice_at(2, 1));
  EXPECT_EQ(calls, 1);
}

TEST(ResultLog, RowsAreSeenOnceTheyAreFlushed) {
  ResultLog log(result_schema(), 1 << 20);
  int calls = 0;
  auto listener = log.listen([&] { ++calls; });
  log.append(slice_at(1, 1));
  log.append(slice_at(2, 1));
  EXPECT_EQ(log.end(), 0);
  EXPECT_TRUE(log.read(0, 10).slices.empty());
  EXPECT_EQ(calls, 0);
  log.flush();
  EXPECT_EQ(log.end(), 2);
  EXPECT_EQ(calls, 1);
  log.flush();
  EXPECT_EQ(calls, 1) << "nothing new";
}

TEST(ResultLog, RowsThatComeAgainAreDropped) {
  ResultLog log(result_schema(), 1 << 20);
  add(log, slice_at(1, 3));
  add(log, slice_at(2, 2));
  add(log, slice_at(2, 1, "q"));
  add(log, slice_at(1, 3));
  add(log, slice_at(2, 4));  // two of them are new
  EXPECT_EQ(log.repeated_rows(), 5u);
  EXPECT_EQ(log.end(), 8u);
  EXPECT_EQ(log.offset_behind("-1234/p/3.2.2"), 7u);
  EXPECT_EQ(log.offset_behind("-1234/p/3.2.3"), 8u);
  ResultLog::Read read = log.read(6, 10);
  ASSERT_EQ(read.slices.size(), 1u);
  EXPECT_EQ(read.slices[0]->batch->value(0, 0), Value{int32_t{2}});
}

TEST(ResultLog, GoesOnWithTheNextWriter) {
  ResultLog log(result_schema(), 1 << 20);
  log.write().reset();
  EXPECT_TRUE(log.read(0, 1).ended);
  auto writer = log.write();
  EXPECT_FALSE(log.read(0, 1).ended);
}

}  // namespace
}  // namespace pollux
