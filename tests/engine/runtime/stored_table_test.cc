// Tables that a record store keeps as well: what they say has changed makes the store what they
// are, and they begin with what the store has.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/runtime/stored_testing.h"

namespace pollux {
namespace {

using test::Row;
using test::StoredNode;
using Lines = std::vector<std::string>;

constexpr const char* kStreams =
    "define stream In (k string, v int); define stream Gone (k string);\n"
    "define stream Renamed (k string, to string);\n";
constexpr const char* kTable =
    "@store(type='rdbms', datasource='DB', table.name='THE_TABLE', @cache(size='10'))\n"
    "@PrimaryKey('k') @Index('v') define table T (k string, v int);\n";
constexpr const char* kQueries =
    "from In select k, v update or insert into T set T.v = v on T.k == k;\n"
    "from Gone delete T on T.k == k;\n"
    "from Renamed update T set T.k = to on T.k == k;\n";

std::string plan() { return std::string(kStreams) + kTable + kQueries; }

std::string errors_of(const std::string& text) { return to_text(Engine::validate(text), "plan"); }

TEST(StoredTable, ThePlanSaysWhatIsKeptWhere) {
  StoredNode node;
  node.must_deploy("@app:name('Café:1')" + plan());
  std::vector<StoredHolder> holders = node.holders();
  ASSERT_EQ(holders.size(), 1U);
  const StoredHolder& holder = holders[0];
  EXPECT_EQ(holder.name, "T");
  EXPECT_FALSE(holder.unit);
  EXPECT_EQ(holder.type, "rdbms");
  EXPECT_EQ(holder.table, "THE_TABLE");
  EXPECT_EQ(holder.stream, "Café:1:T.changes");
  EXPECT_EQ(holder.primary_key, Lines{"k"});
  EXPECT_EQ(holder.indexed, Lines{"v"});
  EXPECT_EQ(holder.retention_ms, 0);
  ASSERT_EQ(holder.options.size(), 2U);
  EXPECT_EQ(holder.options[0].key, "datasource");
  EXPECT_EQ(holder.options[1].value, "THE_TABLE");
  ASSERT_EQ(holder.nested.size(), 1U);
  EXPECT_EQ(holder.nested[0].name, "cache");
  EXPECT_EQ(holder.location.line, 3U);

  std::vector<StreamInfo> streams = node.engine.streams(node.name);
  auto changes = std::find_if(streams.begin(), streams.end(), [&](const StreamInfo& stream) {
    return stream.schema->name() == holder.stream;
  });
  ASSERT_NE(changes, streams.end());
  EXPECT_TRUE(changes->output && changes->leaf && !changes->input);
  EXPECT_EQ(changes->schema->attributes(),
            (std::vector<Attribute>{{"k", AttributeType::kString},
                                    {"v", AttributeType::kInt},
                                    {"pollux_erased", AttributeType::kBool}}));
  EXPECT_EQ(node.engine.input_schema(holder.stream), nullptr);
}

TEST(StoredTable, TheOlderFormReplacesRowsOfEqualKey) {
  StoredNode node;
  node.must_deploy(
      "@Plan:name('old') define stream In (k string, v int, w int);\n"
      "@From(EventTable='analytics.table', Table.Name='t', PRIMARY.KEYS='k, v', indices='w')\n"
      "define table T (k string, v int, w int);\n"
      "from In insert into T;");
  const StoredHolder holder = node.holders().at(0);
  EXPECT_EQ(holder.type, "analytics.table");
  EXPECT_EQ(holder.table, "t");
  EXPECT_EQ(holder.primary_key, (Lines{"k", "v"}));
  EXPECT_EQ(holder.indexed, Lines{"w"});
  node.send("In", {"a", 1, 10});
  node.send("In", {"a", 1, 11});
  EXPECT_EQ(node.lines, Lines{"0 old:T.changes a 1 11 false"});
  EXPECT_EQ(node.store_of(holder.stream), Lines{"a 1 11"});
}

TEST(StoredTable, WhatAnEntryChangedComesOutOnceBehindItsOtherResults) {
  StoredNode node;
  node.must_deploy(plan() + "from In select k insert into Seen;");
  node.send_all("In", {{"b", 1}, {"a", 2}, {"b", 3}});
  EXPECT_EQ(node.lines, (Lines{"0 Seen b", "1 Seen a", "2 Seen b", "3 plan:T.changes b 3 false",
                               "4 plan:T.changes a 2 false"}));
  node.send("In", {"a", 2});
  EXPECT_EQ(node.lines, (Lines{"0 Seen a", "1 plan:T.changes a 2 false"}));
  node.apply(TickPayload{});
  EXPECT_EQ(node.lines, Lines{});
}

TEST(StoredTable, ARowThatIsGoneHasItsKeyOnly) {
  StoredNode node;
  node.must_deploy(plan());
  node.send("In", {"a", 2});
  node.send("Gone", {"a"});
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes a null true"});
  node.send("Gone", {"a"});
  EXPECT_EQ(node.lines, Lines{});
}

TEST(StoredTable, ARowUnderANewKeyLeavesItsOldOne) {
  StoredNode node;
  node.must_deploy(plan());
  node.send("In", {"a", 2});
  node.send("Renamed", {"a", "b"});
  EXPECT_EQ(node.lines, (Lines{"0 plan:T.changes a null true", "1 plan:T.changes b 2 false"}));
  node.send("In", {"c", 3});
  node.send("Renamed", {"b", "c"});
  EXPECT_EQ(node.lines, Lines{}) << "two rows would have one key: nothing changed";
}

TEST(StoredTable, OnDemandQueriesChangeTheStoreToo) {
  StoredNode node;
  node.must_deploy(plan());
  node.write("select 'x' as k, 7 as v insert into T");
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes x 7 false"});
  node.write("update T set T.v = 8 on T.k == 'x'");
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes x 8 false"});
  node.write("delete T on T.k == 'x'");
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes x null true"});
}

TEST(StoredTable, KeysOfEveryTypeAreToldWhenTheirRowIsGone) {
  StoredNode node;
  node.must_deploy(
      "define stream In (a string, b int, c long, d double, e bool, f float, g int);\n"
      "define stream Clear (x int);\n"
      "@store(type='x') @PrimaryKey('c', 'a', 'b', 'd', 'e', 'f')\n"
      "define table T (a string, b int, c long, d double, e bool, f float, g int);\n"
      "from In insert into T; from Clear delete T on T.g == x;");
  node.send("In", {"", 1, int64_t{2}, 0.5, true, 1.5F, 1});
  node.send("In", {"a text that is longer than twelve bytes", Value{}, int64_t{3}, -0.5, false,
                   Value{}, 1});
  node.send("Clear", {1});
  EXPECT_EQ(node.lines,
            (Lines{"0 plan:T.changes  1 2 0.5 true 1.5 null true",
                   "1 plan:T.changes a text that is longer than twelve bytes null 3 -0.5 false "
                   "null null true"}));
  EXPECT_EQ(node.store_of("plan:T.changes"), Lines{});
}

TEST(StoredTable, WhatIsWrongWithAStoreIsSaid) {
  const std::string in = "define stream In (k string, v int);";
  auto with = [&](const std::string& table, const std::string& rest = "") {
    return errors_of(in + table + rest);
  };
  EXPECT_EQ(with("@store(type='x') define table T (k string);"), "") << "it is only read";
  EXPECT_NE(with("@store(type='x') define table T (k string, v int);", "from In insert into T;")
                .find("has no primary key"),
            std::string::npos);
  EXPECT_NE(with("@store(datasource='x') @PrimaryKey('k') define table T (k string);")
                .find("needs a type"),
            std::string::npos);
  EXPECT_NE(with("@store(type='x', flush.interval='soon') define table T (k string);")
                .find("no flush.interval"),
            std::string::npos);
  EXPECT_NE(with("@store(type='x') define table `../T` (k string);").find("letters, digits"),
            std::string::npos);
  EXPECT_NE(
      with("@store(type='x') define table T (k string, pollux_erased bool);").find("pollux_erased"),
      std::string::npos);
  EXPECT_NE(with("from In insert into `plan:T.changes`;").find("another name"), std::string::npos);
}

TEST(StoredTable, BeginsWithWhatTheStoreHasAndSaysNothing) {
  StoredNode before;
  before.must_deploy(plan());
  for (int i = 0; i < 10; ++i) before.send("In", {"key " + std::to_string(i), i});
  StoredNode after;
  after.must_deploy(plan(), before.stored());
  EXPECT_EQ(after.lines, Lines{});
  EXPECT_EQ(after.answer("from T select k, v"), before.answer("from T select k, v"));
  EXPECT_EQ(after.answer("from T on v == 4 select k"), "key 4");
  after.send("Gone", {"key 3"});
  EXPECT_EQ(after.lines, Lines{"0 plan:T.changes key 3 null true"});
}

TEST(StoredTable, ATableThatIsOnlyReadBeginsWithItsRowsToo) {
  const std::string text =
      "define stream In (k string); @store(type='x') define table T (k string, v int);\n"
      "from In join T on In.k == T.k select T.v as v insert into Out;";
  StoredNode node;
  StoredNode empty;
  empty.must_deploy(text);
  const StoredHolder holder = empty.holders().at(0);
  EXPECT_EQ(empty.engine.streams("plan").size(), 2U) << "nothing changes: there is no stream of it";
  auto rows = std::make_shared<EventBatch>(holder.schema);
  for (int i = 0; i < 2; ++i) {
    rows->append_string(0, "a");
    rows->append_value(1, i);
    rows->end_row(0);
  }
  node.must_deploy(text, {{holder.stream, INT64_MIN, {rows}}});
  node.send("In", {"a"});
  EXPECT_EQ(node.lines, (Lines{"0 Out 0", "1 Out 1"}));
}

TEST(StoredTable, RowsThatDoNotFitChangeNothing) {
  StoredNode before;
  before.must_deploy(plan());
  before.send("In", {"a", 1});
  std::vector<StoredRows> good = before.stored();
  auto other = std::make_shared<EventBatch>(
      std::make_shared<Schema>("T", std::vector<Attribute>{{"k", AttributeType::kString}}));

  StoredNode node;
  auto rejected = [&node](std::vector<StoredRows> stored, bool replace = false) {
    ApplyOutcome outcome = node.deploy(plan() + "-- edited", std::move(stored), replace);
    EXPECT_EQ(outcome.status, ApplyStatus::kRejected);
    return outcome.reason;
  };
  EXPECT_NE(rejected({{"plan:U.changes", INT64_MIN, {}}}).find("which the plan has not"),
            std::string::npos);
  EXPECT_NE(rejected({good[0], good[0]}).find("come twice"), std::string::npos);
  EXPECT_NE(rejected({{good[0].stream, INT64_MIN, {other}}}).find("are not the plan's"),
            std::string::npos);
  std::vector<StoredRows> twice = good;
  twice[0].batches.push_back(twice[0].batches[0]);
  EXPECT_NE(rejected(twice).find("two rows"), std::string::npos);
  EXPECT_TRUE(node.engine.plans().empty());

  node.must_deploy(plan());
  node.send("In", {"b", 5});
  EXPECT_NE(rejected({{"plan:U.changes", INT64_MIN, {}}}, true), "");
  EXPECT_EQ(node.answer("from T select k, v"), "b 5");
}

TEST(StoredTable, AReplacedPlansRowsGoOnWhateverTheStoreHas) {
  StoredNode node;
  node.must_deploy(plan());
  PlanDescription first = *node.engine.describe("plan");
  node.send("In", {"a", 1});
  std::vector<StoredRows> stale = node.stored();
  node.send("In", {"a", 2});

  ApplyOutcome same = node.must_deploy(plan() + "from In select v insert into Seen;", stale, true);
  auto kept = [](const ApplyOutcome& outcome) {
    const Lines& all = outcome.handed_over.kept;
    return std::find(all.begin(), all.end(), "table T") != all.end();
  };
  EXPECT_TRUE(kept(same));
  EXPECT_EQ(node.answer("from T select k, v"), "a 2");

  // Its text is another, what it holds is not.
  const std::string paced = std::string(kStreams) +
                            "@store(type='rdbms', datasource='DB', table.name='THE_TABLE',\n"
                            "  flush.interval='1 sec', @cache(size='20'))\n"
                            "@PrimaryKey('k') define table T (k string, v int);\n" +
                            kQueries;
  ApplyOutcome taken = node.must_deploy(paced, stale, true);
  EXPECT_TRUE(kept(taken));
  EXPECT_EQ(taken.handed_over.fresh, Lines{});
  EXPECT_EQ(node.answer("from T select k, v"), "a 2");
  EXPECT_TRUE(holders_to_fill(*node.engine.describe("plan"), &first).empty());

  // What has changed and waits goes along: it comes out at once.
  node.send("In", {"a", 3});
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes a 3 false"});
  node.send("In", {"a", 4});
  EXPECT_EQ(node.lines, Lines{});
  node.must_deploy(paced + "-- and so on\n" + "from In select v insert into Seen;", {}, true);
  node.pass(1000);
  EXPECT_EQ(node.store_of("plan:T.changes"), Lines{"a 4"});
  node.send("In", {"a", 5});
  node.must_deploy(plan(), stale, true);
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes a 5 false"});

  // Another table: only the store knows.
  const std::string elsewhere = std::string(kStreams) +
                                "@store(type='rdbms', datasource='DB', table.name='OTHER')\n"
                                "@PrimaryKey('k') define table T (k string, v int);\n" +
                                kQueries;
  EXPECT_FALSE(kept(node.must_deploy(elsewhere, stale, true)));
  EXPECT_EQ(node.answer("from T select k, v"), "a 1");
  EXPECT_EQ(holders_to_fill(*node.engine.describe("plan"), &first).size(), 1U);
  EXPECT_EQ(holders_to_fill(first, nullptr).size(), 1U);
}

TEST(StoredTable, ASuspendedPlansRowsAreNotGoneOnWith) {
  StoredNode node;
  node.must_deploy(plan());
  node.send("In", {"a", 1});
  std::vector<StoredRows> stored = node.stored();
  node.engine.suspend("plan");
  node.must_deploy(plan(), stored, true);
  EXPECT_EQ(node.answer("from T select k, v"), "a 1");
}

/// Rows that come at random, among them such that change nothing.
class RandomTable {
 public:
  explicit RandomTable(uint32_t seed) : random_(seed) {}

  void step(StoredNode& node) {
    std::vector<Row> rows;
    for (uint32_t i = below(4) + 1; i > 0; --i) rows.push_back({key(), int32_t(below(5))});
    switch (below(6)) {
      case 0:
        return node.send("Gone", {key()});
      case 1:
        return node.send("Renamed", {key(), key()});
      case 2:
        node.write("delete T on T.v == " + std::to_string(below(5)));
        return;
      case 3:
        node.now_ms += below(700);
        return;
      default:
        return node.send_all("In", rows);
    }
  }

 private:
  uint32_t below(uint32_t bound) { return random_() % bound; }
  std::string key() { return "key number " + std::to_string(below(8)); }
  std::mt19937 random_;
};

Lines sorted_rows(const StoredNode& node) {
  Lines rows;
  node.engine.read_table("plan", "T", [&](const EventBatchPtr& batch) {
    for (uint32_t i = 0; i < batch->rows(); ++i) {
      rows.push_back(to_text(batch->value(i, 0)) + " " + to_text(batch->value(i, 1)));
    }
    return true;
  });
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(StoredTable, TheChangesMakeTheStoreWhatTheTableIs) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    StoredNode node;
    StoredNode twin;
    node.must_deploy(plan());
    twin.must_deploy(plan());
    RandomTable random(seed);
    RandomTable same(seed);
    for (int i = 0; i < 60; ++i) {
      random.step(node);
      same.step(twin);
      ASSERT_EQ(node.store_of("plan:T.changes"), sorted_rows(node)) << "seed " << seed;
    }
    EXPECT_EQ(node.all_lines, twin.all_lines);
    EXPECT_FALSE(node.all_lines.empty());
  }
}

TEST(StoredTable, ChangesThatWaitAreAPartOfTheState) {
  const std::string text = std::string(kStreams) +
                           "@store(type='x', flush.interval='1 sec') @PrimaryKey('k')\n"
                           "define table T (k string, v int);\n" +
                           kQueries;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    StoredNode whole;
    StoredNode cut;
    whole.must_deploy(text);
    cut.must_deploy(text);
    RandomTable random(seed);
    RandomTable same(seed);
    for (int i = 0; i < 60; ++i) {
      random.step(whole);
      same.step(cut);
      ASSERT_EQ(cut.engine.restore_state("plan", cut.engine.save_state("plan")), "");
      ASSERT_EQ(cut.engine.next_deadline(), whole.engine.next_deadline());
    }
    whole.pass(1000);
    cut.pass(1000);
    EXPECT_EQ(cut.all_lines, whole.all_lines) << "seed " << seed;
    EXPECT_EQ(whole.store_of("plan:T.changes"), sorted_rows(whole));
  }
}

TEST(StoredTable, WhatWaitsComesOutWhenThePlanGoes) {
  StoredNode node;
  node.must_deploy(std::string(kStreams) +
                   "@store(type='x', flush.interval='1 hour') @PrimaryKey('k')\n"
                   "define table T (k string, v int);\n" +
                   kQueries);
  node.send("In", {"a", 1});
  node.send("In", {"a", 2});
  EXPECT_EQ(node.lines, Lines{});
  EXPECT_EQ(node.apply(UndeployPayload{"plan"}).status, ApplyStatus::kApplied);
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes a 2 false"});
  EXPECT_EQ(node.store_of("plan:T.changes"), Lines{"a 2"});
}

TEST(StoredTable, AStateWhoseChangesAreNoKeysIsRefused) {
  const std::string text =
      "define stream In (k long, v int);\n"
      "@store(type='x', flush.interval='1 sec') @PrimaryKey('k') define table T (k long, v int);\n"
      "from In insert into T;";
  StoredNode node;
  node.must_deploy(text);
  node.send("In", {int64_t{1}, 1});
  node.send("In", {int64_t{0x7a7a7a7a7a7a7a7a}, 1});
  std::string state = node.engine.save_state("plan");
  size_t refused = 0;
  for (size_t at = 0; at < state.size(); ++at) {
    std::string damaged = state;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x21);
    StoredNode other;
    other.must_deploy(text);
    if (!other.engine.restore_state("plan", damaged).empty()) {
      ++refused;
    } else {
      other.pass(100'000);
    }
  }
  EXPECT_GT(refused, state.size() / 4);
}

TEST(StoredTable, InVirtualTimeChangesComeWithTheClockOfRows) {
  StoredNode node;
  node.must_deploy("@app:playback " + std::string(kStreams) +
                   "@store(type='x', flush.interval='1 sec') @PrimaryKey('k')\n"
                   "define table T (k string, v int);\n" +
                   kQueries);
  node.send("In", {"a", 1});
  node.send("In", {"a", 2});
  EXPECT_EQ(node.lines, Lines{"0 plan:T.changes a 2 false"}) << "nobody may come to wake it";
}

}  // namespace
}  // namespace pollux
