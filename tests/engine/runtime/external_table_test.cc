// Tables whose rows come with the entries: joined by their keys, and nothing else is done with
// them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/runtime/stored_testing.h"

namespace pollux {
namespace {

using test::Row;
using test::StoredNode;
using Lines = std::vector<std::string>;

constexpr const char* kTable =
    "@store(type='rdbms', datasource='BANK_DB', external='true', table.name='CLIENTS') "
    "@primaryKey('user')\n"
    "define table Customers (user string, tier string, country string);\n";
constexpr const char* kStream = "define stream Logins (user string, ip string);\n";
constexpr const char* kJoin =
    "from Logins join Customers on Logins.user == Customers.user\n"
    "select Logins.user, Customers.tier insert into Rich;\n";

std::string errors_of(const std::string& text) { return to_text(Engine::validate(text), "plan"); }

/// A node whose entries carry what a map has.
class ExternalNode {
 public:
  StoredNode node;
  std::map<std::string, Row> customers;

  FoundRows found(const std::vector<Row>& events) const {
    const ExternalTable table = node.engine.describe("plan")->external.at(0);
    auto rows = std::make_shared<EventBatch>(table.holder.schema);
    std::map<std::string, Row> needed;
    for (const Row& event : events) {
      for (const ExternalLookup& lookup : table.lookups) {
        auto customer = customers.find(to_text(event[lookup.columns[0]]));
        if (customer != customers.end()) needed.insert(*customer);
      }
    }
    for (const auto& [key, row] : needed) {
      for (size_t c = 0; c < row.size(); ++c) rows->append_value(c, row[c]);
      rows->end_row(0);
    }
    return {table.holder.stream, rows};
  }
  EventsPayload events(const std::string& stream, const std::vector<Row>& rows) const {
    auto batch = std::make_shared<EventBatch>(node.engine.input_schema(stream));
    for (const Row& row : rows) {
      for (size_t c = 0; c < row.size(); ++c) batch->append_value(c, row[c]);
      batch->end_row(node.now_ms);
    }
    return EventsPayload{batch};
  }
  ApplyOutcome send(const std::string& stream, const std::vector<Row>& rows) {
    EventsPayload payload = events(stream, rows);
    payload.found = {found(rows)};
    return node.apply(std::move(payload));
  }
};

TEST(ExternalTable, ThePlanSaysWhatItNeedsOfWhichStore) {
  StoredNode node;
  node.must_deploy(std::string(kStream) + kTable + kJoin +
                   "from Logins[ip == 'x'] left outer join Customers as C on C.user == ip "
                   "select C.tier insert into Other;\n"
                   "from Logins join Customers on Customers.user == Logins.user and tier == 'gold' "
                   "select Logins.user insert into Third;");
  const PlanDescription description = *node.engine.describe("plan");
  EXPECT_TRUE(description.stored.empty());
  EXPECT_EQ(description.tables, 0U);
  ASSERT_EQ(description.external.size(), 1U);
  const ExternalTable& table = description.external[0];
  EXPECT_EQ(table.holder.name, "Customers");
  EXPECT_EQ(table.holder.type, "rdbms");
  EXPECT_EQ(table.holder.table, "CLIENTS");
  EXPECT_EQ(table.holder.stream, "plan:Customers");
  EXPECT_EQ(table.holder.primary_key, Lines{"user"});
  EXPECT_EQ(table.lookups, (std::vector<ExternalLookup>{{"Logins", {0}}, {"Logins", {1}}}))
      << "equal ones once";
  EXPECT_FALSE(node.engine.can_be_asked("plan", "Customers")) << "the store is";
}

TEST(ExternalTable, RowsAreThoseThatTheEntryCarries) {
  ExternalNode one;
  one.node.must_deploy(std::string(kStream) + kTable + kJoin);
  one.customers["ann"] = {"ann", "gold", "SE"};
  one.send("Logins", {{"ann", "1"}, {"bob", "2"}, {"ann", "3"}, {Value{}, "4"}});
  EXPECT_EQ(one.node.lines, (Lines{"0 Rich ann gold", "1 Rich ann gold"}));
  one.customers.clear();
  one.send("Logins", {{"ann", "1"}});
  EXPECT_EQ(one.node.lines, Lines{}) << "nothing stays of an entry before";
  one.customers["o'neil \"x\"\n"] = {"o'neil \"x\"\n", Value{}, "IE"};
  one.send("Logins", {{"o'neil \"x\"\n", "1"}});
  EXPECT_EQ(one.node.lines, Lines{"0 Rich o'neil \"x\"\n null"});
}

TEST(ExternalTable, AnOuterJoinKeepsEventsWithoutARowAndConditionsGoOn) {
  ExternalNode one;
  one.node.must_deploy(
      std::string(kStream) + kTable +
      "from Logins left outer join Customers on Logins.user == Customers.user and "
      "Customers.country != ip select Logins.user as user, tier insert into All;\n"
      "from Customers as C right outer join Logins on C.user == Logins.user "
      "select Logins.user as user, count() as n group by country insert into Counts;");
  one.customers["ann"] = {"ann", "gold", "SE"};
  one.customers["bob"] = {"bob", "iron", "DE"};
  one.send("Logins", {{"ann", "SE"}, {"bob", "SE"}, {"eve", "SE"}, {Value{}, "SE"}});
  Lines lines = one.node.lines;
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines.size(), 8U);
  auto has = [&](const std::string& end) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.ends_with(end); });
  };
  EXPECT_TRUE(has("All ann null"));
  EXPECT_TRUE(has("All bob iron"));
  EXPECT_TRUE(has("All eve null"));
  EXPECT_TRUE(has("All null null"));
  EXPECT_TRUE(has("Counts eve 1"));
}

TEST(ExternalTable, AnIntMayBeTheKeyOfALong) {
  ExternalNode one;
  one.node.must_deploy(
      "define stream S (id int, on_ bool); @store(type='rdbms', external='true') "
      "@primaryKey('id', 'b') define table T (id long, b bool, name string);"
      "from S join T on T.b == on_ and S.id == T.id select name insert into Out;");
  EventsPayload events = one.events("S", {{7, true}});
  auto rows =
      std::make_shared<EventBatch>(one.node.engine.describe("plan")->external[0].holder.schema);
  rows->append_value(0, int64_t{7});
  rows->append_value(1, true);
  rows->append_value(2, std::string("seven"));
  rows->end_row(0);
  events.found = {{"plan:T", rows}};
  one.node.apply(std::move(events));
  EXPECT_EQ(one.node.lines, Lines{"0 Out seven"});
}

// Whoever numbers entries has done something else than the plan needs: no result is guessed.
TEST(ExternalTable, AnEntryWithoutItsRowsSuspendsThePlan) {
  for (int how = 0; how < 4; ++how) {
    ExternalNode one;
    one.node.must_deploy(std::string(kStream) + kTable + kJoin);
    one.customers["ann"] = {"ann", "gold", "SE"};
    EventsPayload events = one.events("Logins", {{"ann", "1"}});
    FoundRows good = one.found({{"ann", "1"}});
    std::string why;
    if (how == 0) why = "were not looked up";
    if (how == 1) {
      events.found = {{"other:Customers", good.rows}};
      why = "were not looked up";
    }
    if (how == 2) {
      events.found = {{good.table, events.batch}};
      why = "of other attributes";
    }
    if (how == 3) {
      auto twice = std::make_shared<EventBatch>(good.rows->schema_ptr());
      append_batch(*twice, *good.rows);
      append_batch(*twice, *good.rows);
      events.found = {{good.table, twice}};
      why = "a key twice";
    }
    ApplyOutcome outcome = one.node.apply(std::move(events));
    EXPECT_EQ(outcome.status, ApplyStatus::kSuspended);
    EXPECT_NE(outcome.reason.find(why), std::string::npos) << outcome.reason;
    EXPECT_EQ(one.node.lines, Lines{});
  }
}

TEST(ExternalTable, WhatCannotBeLookedUpIsAnErrorThatSaysWhatCan) {
  const std::string head = std::string(kStream) + kTable + "define stream Other (user string);\n";
  struct Case {
    const char* text;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {"from Logins select user, ip, ip as country insert into Customers;", "only read", "sink"},
      {"from Logins delete Customers on Customers.user == user;", "only read", "sink"},
      {"from Logins update Customers set Customers.tier = ip on Customers.user == user;",
       "only read", "sink"},
      {"from Logins update or insert into Customers set Customers.tier = ip on Customers.user == "
       "user;",
       "only read", "sink"},
      {"from Logins[Customers.user == user in Customers] select user insert into Out;", "'in' asks",
       "left outer join"},
      {"from Logins[not(Customers.user == user in Customers)] select user insert into Out;",
       "'in' asks", "is null"},
      {"from Customers select user insert into Out;", "events of external table", "joined with it"},
      {"from every e1=Customers -> e2=Logins select e2.user insert into Out;",
       "events of external table", "joined with it"},
      {"from Logins#window.length(5) join Customers on Logins.user == Customers.user "
       "select ip insert into Out;",
       "a window on a stream", "a query behind it"},
      {"from Logins#log() join Customers on Logins.user == Customers.user "
       "select ip insert into Out;",
       "a stream function on a stream", "a query behind it"},
      {"from Logins join Customers on Logins.user == Customers.tier select ip insert into Out;",
       "which row", "S.user == Customers.user"},
      {"from Logins join Customers select ip insert into Out;", "which row",
       "S.user == Customers.user"},
      {"from Logins join Customers on Logins.user == Customers.user or ip == 'x' "
       "select ip insert into Out;",
       "which row", "S.user == Customers.user"},
      {"from Logins join Customers on str:lower(Logins.user) == Customers.user "
       "select ip insert into Out;",
       "which row", "S.user == Customers.user"},
      {"from Logins join Customers on Logins.user > Customers.user select ip insert into Out;",
       "which row", "S.user == Customers.user"},
      {"from Logins full outer join Customers on Logins.user == Customers.user "
       "select ip insert into Out;",
       "an outer join that keeps the rows", "left outer join"},
      {"from Logins right outer join Customers on Logins.user == Customers.user "
       "select ip insert into Out;",
       "an outer join that keeps the rows", "left outer join"},
      {"from Customers left outer join Logins on Logins.user == Customers.user "
       "select ip insert into Out;",
       "an outer join that keeps the rows", "left outer join"},
      {"from Logins join Customers unidirectional on Logins.user == Customers.user "
       "select ip insert into Out;",
       "'unidirectional' behind external table", "the stream triggers"},
      {"from Logins select user insert into Derived;"
       "from Derived join Customers on Derived.user == Customers.user select tier insert into Out;",
       "the plan itself puts events into it", "join first"},
      {"from Other join Customers on Other.user == Customers.user select tier insert into Out;"
       "from Logins select user insert into Other;",
       "the plan itself puts events into it", "join first"},
      {"define window W (user string) length(5);"
       "from W join Customers on W.user == Customers.user select tier insert into Out;",
       "no stream from outside", "a stream that comes from outside"},
      {"define table T (user string);"
       "from T join Customers on T.user == Customers.user select tier insert into Out;",
       "a table or an aggregation", "a stream that comes from outside"},
      {"partition with (user of Logins) begin from Logins select user insert into #In;"
       "from #In join Customers on #In.user == Customers.user select tier insert into Out; end;",
       "no stream from outside", "a stream that comes from outside"},
      {"define table Customers (user string);", "defined again", "one definition"},
  };
  for (const Case& each : cases) {
    const std::string errors = errors_of(head + each.text);
    EXPECT_NE(errors.find(each.message), std::string::npos) << each.text << "\n" << errors;
    EXPECT_NE(errors.find(each.hint), std::string::npos) << each.text << "\n" << errors;
  }
  EXPECT_EQ(errors_of(head + kJoin), "");
  EXPECT_EQ(errors_of(head + "partition with (user of Logins) begin " + kJoin + " end;"), "");
}

TEST(ExternalTable, WhatIsNoExternalTableIsSaid) {
  auto with = [&](const std::string& table) { return errors_of(kStream + table); };
  EXPECT_NE(with("@store(type='x', external='true') define table T (k string);")
                .find("without a primary key"),
            std::string::npos);
  EXPECT_NE(with("@store(type='x', external='True') @PrimaryKey('k') define table T (k double);")
                .find("a key of type string, int, long or bool"),
            std::string::npos);
  EXPECT_NE(with("@store(type='x', external='true') define aggregation A from Logins "
                 "select user, count() as n group by user aggregate every sec...hour;")
                .find("an aggregation in an external table"),
            std::string::npos);
  EXPECT_EQ(with("@store(type='x', external='false') @PrimaryKey('k') define table T (k string);"),
            "");
  EXPECT_EQ(with("@From(eventtable='rdbms', datasource.name='DB', external='true', "
                 "primary.keys='k') define table T (k string);"),
            "");
}

// A table in memory that has the same rows is joined to the same results.
TEST(ExternalTable, JoinsAsATableInMemoryDoes) {
  const std::string joins =
      "from In[v > 2] join T on In.k == T.k and (T.w > v or T.s == 'x') "
      "select In.k as k, v, w, s insert into Inner;\n"
      "from In left outer join T on T.k == In.k select In.k as k, v, w insert into Left;\n"
      "from In join T on In.other == T.k select v, sum(w) as total group by In.k insert into Sums;";
  const std::string stream = "define stream In (k string, other string, v int);\n";
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    auto name = [&]() -> Value {
      if (random() % 9 == 0) return {};
      return std::string(random() % 2 == 0 ? "" : "a name that is longer than that ") +
             std::to_string(random() % 12);
    };
    ExternalNode external;
    external.node.must_deploy(stream +
                              "@store(type='x', external='true') @primaryKey('k') "
                              "define table T (k string, w int, s string);" +
                              joins);
    StoredNode memory;
    memory.must_deploy(stream +
                       "define stream Set (k string, w int, s string); @primaryKey('k') "
                       "define table T (k string, w int, s string);"
                       "from Set update or insert into T on T.k == k;" +
                       joins);
    for (int step = 0; step < 40; ++step) {
      if (random() % 2 == 0) {
        Value key = name();
        if (std::holds_alternative<std::monostate>(key)) continue;
        Row row{key, static_cast<int32_t>(random() % 10),
                random() % 4 == 0 ? Value{} : Value{std::string("x")}};
        external.customers[to_text(key)] = row;
        memory.send("Set", row);
        continue;
      }
      std::vector<Row> rows;
      for (uint64_t i = random() % 6; i > 0; --i) {
        rows.push_back({name(), name(), static_cast<int32_t>(random() % 10)});
      }
      external.send("In", rows);
      memory.send_all("In", rows);
      ASSERT_EQ(external.node.lines, memory.lines) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace pollux
