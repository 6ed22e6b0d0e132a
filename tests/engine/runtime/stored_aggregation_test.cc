// Aggregations that a record store keeps as well: their rows say all that is needed to go on.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/engine/runtime/stored_testing.h"

namespace pollux {
namespace {

using test::Row;
using test::StoredNode;
using Lines = std::vector<std::string>;

constexpr const char* kStream =
    "define stream S (user string, place string, n int, x double, t long);\n";

/// What selects, behind the annotations.
std::string aggregation(const std::string& annotations, const std::string& select,
                        const std::string& every) {
  return kStream + annotations + "define aggregation A from S " + select +
         " aggregate by t every " + every + ";\n";
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const Attribute& attribute : schema.attributes()) names.push_back(attribute.name);
  return names;
}

std::string errors_of(const std::string& text) { return to_text(Engine::validate(text), "plan"); }

TEST(StoredAggregation, EachUnitIsAHolderWithAllThatItNeedsToGoOn) {
  StoredNode node;
  node.must_deploy(
      aggregation("@store(type='store', store='DB', table.name='STAT_PER{UNIT}')\n"
                  "@purge(enable='true', @retentionPeriod(min='3 days', hours='all'))\n",
                  "select user as who, avg(n) as mean, max(x) as most, place "
                  "group by user, n",
                  "min, hour"));
  std::vector<StoredHolder> holders = node.holders();
  ASSERT_EQ(holders.size(), 2U);
  EXPECT_EQ(holders[0].unit, CalendarUnit::kMinutes);
  EXPECT_EQ(holders[0].table, "STAT_PERMINUTE");
  EXPECT_EQ(holders[0].stream, "plan:A.minutes.changes");
  EXPECT_EQ(holders[0].retention_ms, 3 * 86'400'000);
  EXPECT_EQ(holders[0].memory_ms, 3 * 86'400'000);
  EXPECT_EQ(holders[1].table, "STAT_PERHOUR");
  EXPECT_EQ(holders[1].stream, "plan:A.hours.changes");
  EXPECT_EQ(holders[1].retention_ms, 0);
  EXPECT_EQ(holders[1].memory_ms, 0);
  for (const StoredHolder& holder : holders) {
    EXPECT_EQ(names_of(*holder.schema),
              (Lines{"AGG_TIMESTAMP", "who", "n", "mean", "most", "place", "AGG_SUM_n", "AGG_COUNT",
                     "AGG_LAST_EVENT_TIMESTAMP"}));
    EXPECT_EQ(holder.primary_key, (Lines{"AGG_TIMESTAMP", "who", "n"}));
  }
  EXPECT_EQ(node.answer("from A within 0L, 9000000000000L per 'hours' select who"), "")
      << "what is read is what is selected";
}

TEST(StoredAggregation, TablesAreNamedByTheAggregationWhereNothingElseIsSaid) {
  auto tables = [](const std::string& option) {
    StoredNode node;
    node.must_deploy(
        aggregation("@store(type='store'" + option + ")", "select sum(n) as n", "sec...year"));
    Lines names;
    for (const StoredHolder& holder : node.holders()) {
      names.push_back(holder.table);
      EXPECT_EQ(holder.retention_ms, 0) << "what nobody purges by hand stays in the store";
    }
    return names;
  };
  EXPECT_EQ(tables(""), (Lines{"A_SECOND", "A_MINUTE", "A_HOUR", "A_DAY", "A_MONTH", "A_YEAR"}));
  EXPECT_EQ(tables(", table.name='x'").at(2), "x_HOUR");
}

TEST(StoredAggregation, ChangedRowsComeOutWithEveryEntryWhereNothingIsPaced) {
  StoredNode node;
  node.must_deploy(aggregation("@store(type='s', flush.interval='0 sec')",
                               "select user, sum(n) as total group by user", "sec, hour"));
  node.send_all("S", {{"a", "p", 1, 0.5, int64_t{1500}},
                      {"b", "p", 2, 0.5, int64_t{1600}},
                      {"a", "p", 3, 0.5, int64_t{2500}}});
  EXPECT_EQ(
      node.lines,
      (Lines{"0 plan:A.seconds.changes 1000 a 1 false", "1 plan:A.seconds.changes 1000 b 2 false",
             "2 plan:A.seconds.changes 2000 a 3 false", "3 plan:A.hours.changes 0 a 4 false",
             "4 plan:A.hours.changes 0 b 2 false"}));
}

TEST(StoredAggregation, ABucketIsNotWrittenForEveryEvent) {
  StoredNode node;
  node.must_deploy(aggregation("@store(type='s')", "select sum(n) as total", "year"));
  const Row one = {"a", "p", 1, 0.5, int64_t{1500}};
  node.send("S", one);
  EXPECT_EQ(node.lines, Lines{"0 plan:A.years.changes 0 1 false"});
  for (int i = 0; i < 10; ++i) {
    node.now_ms += 10;
    node.send("S", one);
    EXPECT_EQ(node.lines, Lines{});
  }
  ASSERT_TRUE(node.engine.next_deadline());
  EXPECT_EQ(node.engine.next_deadline()->ms, node.now_ms + 100);
  node.pass(100);
  EXPECT_EQ(node.lines, Lines{"0 plan:A.years.changes 0 11 false"});
  EXPECT_FALSE(node.engine.next_deadline()) << "at rest nobody wakes it";
}

TEST(StoredAggregation, WhatCannotGoOnFromARowIsRefused) {
  auto with = [](const std::string& select, const std::string& store = "@store(type='s')") {
    return errors_of(aggregation(store, select, "sec"));
  };
  EXPECT_EQ(with("select sum(n) as n"), "");
  EXPECT_NE(with("select distinctCount(user) as n").find("which"), std::string::npos);
  EXPECT_NE(with("select avg(n) as AGG_COUNT").find("another attribute"), std::string::npos);
  EXPECT_NE(with("select sum(n) as user group by user").find("another attribute"),
            std::string::npos);
  EXPECT_NE(with("select sum(n) as pollux_erased").find("pollux_erased"), std::string::npos);
  EXPECT_NE(with("select sum(n) as n", "@store(type='s', external='true')")
                .find("an aggregation in an external table"),
            std::string::npos);
}

/// Events at random: of some users, some of them without one, up to a minute late.
class RandomEvents {
 public:
  explicit RandomEvents(uint32_t seed) : random_(seed) {}

  std::vector<Row> next() {
    std::vector<Row> rows;
    for (uint32_t i = 1 + below(4); i > 0; --i) {
      time_ms_ += below(4) == 0 ? below(40'000'000) : below(3000);
      int64_t late = below(3) == 0 ? below(60'000) : 0;
      rows.push_back({some("a user whose name is long ", 4), some("place ", 3),
                      below(5) == 0 ? Value{} : Value{static_cast<int32_t>(below(100)) - 50},
                      below(5) == 0 ? Value{} : Value{static_cast<double>(below(1000)) / 7},
                      time_ms_ - late});
    }
    return rows;
  }
  uint32_t below(uint32_t bound) { return random_() % bound; }

 private:
  Value some(const std::string& name, uint32_t many) {
    uint32_t number = below(many + 1);
    return number == many ? Value{} : Value{name + std::to_string(number)};
  }

  std::mt19937 random_;
  int64_t time_ms_ = 1'483'228'700'000;  // shortly before the year 2017
};

const char* const kUnits[] = {"seconds", "minutes", "hours", "days", "months", "years"};

std::string everything(const std::string& store, const std::string& annotations = "") {
  return aggregation(
      store + annotations,
      "select user, sum(n) as total, sum(x) as real, count() as rows, avg(n) as mean, "
      "avg(x) as real_mean, min(n) as least, max(x) as most, place, n as latest "
      "group by user, place",
      "sec...year");
}

std::string reads(const StoredNode& node) {
  std::string all;
  for (const char* unit : kUnits) {
    all +=
        node.answer("from A within 0L, 9000000000000L per '" + std::string(unit) + "' select *") +
        "\n";
  }
  return all;
}

TEST(StoredAggregation, ItGoesOnFromItsRowsAsIfNothingHadHappened) {
  const std::string text =
      everything("@store(type='s', flush.interval='0 sec')", "@purge(enable='false')\n");
  for (uint32_t seed = 0; seed < 12; ++seed) {
    RandomEvents events(seed);
    StoredNode whole;
    whole.must_deploy(text);
    for (uint32_t i = events.below(40); i > 0; --i) whole.send_all("S", events.next());
    StoredNode cut;
    cut.must_deploy(text, whole.stored());
    EXPECT_EQ(cut.lines, Lines{});
    for (int i = 0; i < 30; ++i) {
      ASSERT_EQ(reads(cut), reads(whole)) << "seed " << seed;
      std::vector<Row> rows = events.next();
      whole.send_all("S", rows);
      cut.send_all("S", rows);
      ASSERT_FALSE(whole.lines.empty());
      ASSERT_EQ(cut.lines, whole.lines) << "seed " << seed;
    }
  }
}

TEST(StoredAggregation, TheStoreHasWhatIsRead) {
  StoredNode node;
  node.must_deploy(everything("@store(type='s')", "@purge(enable='false')\n"));
  RandomEvents events(7);
  for (int i = 0; i < 200; ++i) {
    node.now_ms += events.below(150);
    node.send_all("S", events.next());
  }
  node.pass(200);
  for (const char* unit : kUnits) {
    std::string rows = node.answer("from A within 0L, 9000000000000L per '" + std::string(unit) +
                                   "' select AGG_TIMESTAMP, user, place, total, real, rows, mean, "
                                   "real_mean, least, most, latest");
    auto read = static_cast<size_t>(std::count(rows.begin(), rows.end(), ';')) + 1;
    Lines stored = node.store_of("plan:A." + std::string(unit) + ".changes");
    ASSERT_EQ(stored.size(), read) << unit;
    std::set<std::string> seen(stored.begin(), stored.end());
    for (const std::string& line : stored) {
      std::string plain = line.substr(0, line.rfind(' '));  // behind it: the latest event's time
      EXPECT_NE(rows.find(plain), std::string::npos) << plain;
    }
  }
}

TEST(StoredAggregation, CutsOfTheStateChangeNothing) {
  const std::string text = everything("@store(type='s', flush.interval='1 sec')",
                                      "@purge(enable='true', interval='10 sec', "
                                      "@retentionPeriod(sec='120 sec', min='2 hours'))\n");
  for (uint32_t seed = 0; seed < 15; ++seed) {
    RandomEvents events(seed);
    StoredNode whole(1'483'228'700'000);
    StoredNode cut(1'483'228'700'000);
    whole.must_deploy(text);
    cut.must_deploy(text);
    for (int i = 0; i < 50; ++i) {
      std::vector<Row> rows = events.next();
      whole.now_ms = cut.now_ms = whole.now_ms + events.below(3) * events.below(60'000);
      whole.send_all("S", rows);
      cut.send_all("S", rows);
      ASSERT_EQ(cut.engine.restore_state("plan", cut.engine.save_state("plan")), "");
      ASSERT_EQ(cut.engine.next_deadline(), whole.engine.next_deadline());
      ASSERT_EQ(cut.lines, whole.lines) << "seed " << seed;
    }
    whole.pass(1000);
    cut.pass(1000);
    EXPECT_EQ(cut.all_lines, whole.all_lines);
    EXPECT_EQ(cut.engine.save_state("plan"), whole.engine.save_state("plan"));
  }
}

const char* const kPurged =
    "@purge(enable='true', interval='10 sec', @retentionPeriod(sec='120 sec', min='all'))\n";

TEST(StoredAggregation, ABucketThatLeftMemoryDoesNotComeBackWithLess) {
  StoredNode node(10'000'000);
  node.must_deploy(aggregation("@store(type='s', flush.interval='0 sec')" + std::string(kPurged),
                               "select sum(n) as total", "sec, min"));
  auto event = [](int n, int64_t time) { return Row{"a", "p", n, 0.5, time}; };
  node.send("S", event(1, 10'000'500));
  node.send("S", event(2, 10'000'600));
  node.now_ms += 300'000;
  node.send("S", event(4, 10'300'000));
  node.now_ms += 10'000;
  node.send("S", event(8, 10'000'700));
  EXPECT_EQ(node.lines, Lines{"0 plan:A.minutes.changes 9960000 11 false"});
  EXPECT_EQ(node.store_of("plan:A.seconds.changes"), (Lines{"10000000 3", "10300000 4"}));
  EXPECT_EQ(node.engine.describe("plan")->counts.rows_too_old, 1U);

  node.send("S", event(16, 10'000'999 + 1));
  EXPECT_EQ(node.engine.describe("plan")->counts.rows_too_old, 1U)
      << "a bucket that never was can begin late";
}

TEST(StoredAggregation, TheLastChangesOfAPurgedBucketAreSaid) {
  StoredNode node(10'000'000);
  node.must_deploy(aggregation("@store(type='s', flush.interval='1 hour')" + std::string(kPurged),
                               "select sum(n) as total", "sec, min"));
  node.send("S", {"a", "p", 1, 0.5, int64_t{10'000'000}});
  node.send("S", {"a", "p", 2, 0.5, int64_t{10'000'000}});
  EXPECT_EQ(node.lines, Lines{});
  node.now_ms += 300'000;
  node.send("S", {"a", "p", 4, 0.5, int64_t{10'300'000}});
  EXPECT_EQ(node.lines, Lines{});
  node.now_ms += 10'000;
  node.send("S", {"a", "p", 8, 0.5, int64_t{10'300'000}});
  EXPECT_EQ(node.store_of("plan:A.seconds.changes"), (Lines{"10000000 3", "10300000 12"}));
  EXPECT_EQ(node.store_of("plan:A.minutes.changes"), (Lines{"10260000 12", "9960000 3"}));
}

// As when a file of last year's events is sent in.
TEST(StoredAggregation, OldEventsFillTheirBucketsBeforeTheseGo) {
  StoredNode node(1'000'000'000'000);
  node.must_deploy(aggregation("@store(type='s', flush.interval='0 sec')" + std::string(kPurged),
                               "select sum(n) as total", "sec, min"));
  for (int i = 0; i < 600; ++i) {
    node.now_ms += 7'000;
    node.send("S", {"a", "p", 1, 0.5, int64_t{10'000'000} + i * 500});
  }
  int64_t seconds = 0;
  for (const std::string& row : node.store_of("plan:A.seconds.changes")) {
    seconds += std::stoll(row.substr(row.find(' ')));
  }
  EXPECT_EQ(seconds, 600);
  EXPECT_EQ(node.engine.describe("plan")->counts.rows_too_old, 0U);
  std::string held = node.answer("from A within 0L, 9000000000000L per 'seconds' select total");
  EXPECT_LT(std::count(held.begin(), held.end(), ';'), 135) << "memory is let go all the same";
}

TEST(StoredAggregation, RowsThatWereNotReadDoNotComeBackWithLess) {
  const std::string text =
      aggregation("@store(type='s', flush.interval='0 sec')" + std::string(kPurged),
                  "select sum(n) as total", "sec, min");
  StoredNode node;
  node.must_deploy(text, {{"plan:A.seconds.changes", 5'000'000, {}}});
  node.send("S", {"a", "p", 1, 0.5, int64_t{4'999'000}});
  EXPECT_EQ(node.lines, Lines{"0 plan:A.minutes.changes 4980000 1 false"});
  node.send("S", {"a", "p", 1, 0.5, int64_t{5'000'000}});
  EXPECT_EQ(node.lines.size(), 2U);
}

TEST(StoredAggregation, RowsThatAreNoBucketsChangeNothing) {
  const std::string text = aggregation("@store(type='s', flush.interval='0 sec')",
                                       "select user, sum(n) as total group by user", "hour");
  StoredNode before;
  before.must_deploy(text);
  before.send("S", {"a", "p", 1, 0.5, int64_t{7'200'001}});
  const StoredHolder holder = before.holders()[0];
  auto reason = [&](const Value& time, int times) {
    auto rows = std::make_shared<EventBatch>(holder.schema);
    for (int i = 0; i < times; ++i) {
      rows->append_value(0, time);
      rows->append_string(1, "a");
      rows->append_value(2, int64_t{1});
      rows->end_row(0);
    }
    StoredNode node;
    ApplyOutcome outcome = node.deploy(text, {{holder.stream, INT64_MIN, {rows}}});
    EXPECT_EQ(outcome.status == ApplyStatus::kApplied, outcome.reason.empty());
    return outcome.reason;
  };
  EXPECT_EQ(reason(int64_t{7'200'000}, 1), "");
  EXPECT_NE(reason(int64_t{7'200'000}, 2).find("same time and group"), std::string::npos);
  EXPECT_NE(reason(int64_t{7'200'001}, 1).find("no beginning of hours"), std::string::npos);
  EXPECT_NE(reason(INT64_MAX, 1).find("no beginning of hours"), std::string::npos);
  EXPECT_NE(reason(Value{}, 1).find("no AGG_TIMESTAMP"), std::string::npos);
}

TEST(StoredAggregation, AnEditedPlanGoesOnWithWhatIsInMemory) {
  const std::string store = "@store(type='s', flush.interval='1 hour')";
  RandomEvents events(3);
  StoredNode whole;
  StoredNode edited;
  const std::string text = everything(store, "@purge(enable='false')\n");
  whole.must_deploy(text);
  edited.must_deploy(text);
  for (int i = 0; i < 60; ++i) {
    std::vector<Row> rows = events.next();
    whole.send_all("S", rows);
    edited.send_all("S", rows);
    if (i % 20 != 10) continue;
    // Another text that means the same.
    std::string other = text;
    other.replace(other.find("from S select"), 6, i % 40 == 10 ? "from S[1 == 1]" : "from S");
    ApplyOutcome outcome = edited.must_deploy(other, {}, true);
    const Lines& kept = outcome.handed_over.kept;
    EXPECT_EQ(std::count(kept.begin(), kept.end(), "aggregation A"), 1);
    EXPECT_EQ(reads(edited), reads(whole));
  }
  whole.pass(3'600'000);
  edited.pass(3'600'000);
  for (const char* unit : kUnits) {
    const std::string stream = "plan:A." + std::string(unit) + ".changes";
    EXPECT_FALSE(whole.store_of(stream).empty());
    EXPECT_EQ(edited.store_of(stream), whole.store_of(stream));
  }
}

}  // namespace
}  // namespace pollux
