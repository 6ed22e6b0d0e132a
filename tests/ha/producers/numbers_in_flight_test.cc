#include "ha/producers/numbers_in_flight.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

using Verdict = ProducerTable::Verdict;

TEST(NumbersInFlight, CountOnTopOfWhatIsCommitted) {
  ProducerTable table(1000, 10);
  NumbersInFlight flight;
  table.take("p", 1, {{1}, {5}}, 0);
  EXPECT_EQ(flight.judge(table, "p", 2).verdict, Verdict::kNext);
  flight.take("p", 2, {{1}, {6}});
  EXPECT_EQ(flight.judge(table, "p", 3).verdict, Verdict::kNext);
  // A repeat waits for the entry that carries it.
  ProducerTable::Judged repeat = flight.judge(table, "p", 2);
  EXPECT_EQ(repeat.verdict, Verdict::kSeen);
  EXPECT_EQ(repeat.last.position.value, 6);
  EXPECT_EQ(flight.judge(table, "p", 4).expected, 3);
}

TEST(NumbersInFlight, EndWithTheEntryOrTheLead) {
  ProducerTable table(1000, 10);
  NumbersInFlight flight;
  flight.take("p", 1, {{1}, {5}});
  flight.take("p", 2, {{1}, {6}});
  table.take("p", 1, {{1}, {5}}, 0);
  flight.committed("p", {{1}, {5}});
  EXPECT_EQ(flight.judge(table, "p", 3).verdict, Verdict::kNext);
  flight.clear();
  // The second was never committed: it is due again.
  EXPECT_EQ(flight.judge(table, "p", 2).verdict, Verdict::kNext);
}

}  // namespace
}  // namespace pollux
