// Queries asked once: of a plan's tables, and of rows that somebody else reads.
#include "engine/runtime/on_demand_query.h"

#include <gtest/gtest.h>

#include "tests/engine/runtime/query_testing.h"

namespace pollux {
namespace {

using test::AskedPlan;
using test::batch_of;
using test::Row;
using test::text_of;

constexpr const char* kPlan = R"(
  @app:name('Stock')
  define stream Trades (symbol string, price double, volume long, open bool);
  define table Stock (symbol string, price double, volume long, open bool);
  @PrimaryKey('symbol') define table Names (symbol string, name string);
  from Trades insert into Stock;)";

/// Five trades, a second apart from second 1.
AskedPlan trades() {
  AskedPlan plan(kPlan);
  plan.send("Trades", {"WSO2", 55.5, int64_t{100}, true}, 1000);
  plan.send("Trades", {"IBM", 75.5, int64_t{10}, false}, 2000);
  plan.send("Trades", {"WSO2", 57.5, int64_t{30}, true}, 3000);
  plan.send("Trades", {"a symbol that fits in no sixteen bytes", Value{}, int64_t{7}, Value{}},
            4000);
  plan.send("Trades", {"IBM", 70.0, Value{}, true}, 5000);
  return plan;
}

SchemaPtr log_schema() {
  return std::make_shared<Schema>("Log", std::vector<Attribute>{{"user", AttributeType::kString},
                                                                {"n", AttributeType::kLong},
                                                                {"code", AttributeType::kInt}});
}

StoreCatalogue log_catalogue() {
  return {[](std::string_view name) { return name == "Log" ? log_schema() : nullptr; }, {"Log"}};
}

std::unique_ptr<OnDemandQuery> compiled(const std::string& text, OnDemandOptions options = {}) {
  CompiledQuery result = compile_query(text, log_catalogue(), options);
  EXPECT_TRUE(result.query) << to_text(result.diagnostics, text);
  return std::move(result.query);
}

/// Rows "u0", 0 .. with `users` different users; times are 10 ms apart from 0.
EventBatchPtr log_rows(int64_t begin, int64_t end, int64_t users) {
  std::vector<Row> rows;
  std::vector<int64_t> times;
  for (int64_t n = begin; n < end; ++n) {
    rows.push_back({"u" + std::to_string(n % users), n, static_cast<int32_t>(n % 3)});
    times.push_back(n * 10);
  }
  return batch_of(log_schema(), rows, times);
}

std::string ask_in_batches(const std::string& text, int64_t rows, int64_t batch_rows,
                           int64_t users) {
  auto query = compiled(text);
  for (int64_t begin = 0; begin < rows; begin += batch_rows) {
    QueryStatus status = query->take(*log_rows(begin, std::min(begin + batch_rows, rows), users));
    EXPECT_TRUE(status.ok()) << status.reason;
  }
  QueryAnswer answer = query->finish();
  EXPECT_TRUE(answer.status.ok()) << answer.status.reason;
  return answer.rows ? text_of(*answer.rows) : "no rows";
}

TEST(OnDemandQuery, RowsComeInOrderOfInsertion) {
  AskedPlan plan = trades();
  EXPECT_EQ(plan.answer("from Stock select symbol, volume"),
            "WSO2,100;IBM,10;WSO2,30;a symbol that fits in no sixteen bytes,7;IBM,null");
  EXPECT_EQ(plan.answer("from Stock on volume > 20;"), "WSO2,55.5,100,true;WSO2,57.5,30,true");
  EXPECT_EQ(plan.answer("from Stock as s on s.symbol == 'IBM' select s.price as p"), "75.5;70.0");
  EXPECT_EQ(plan.answer("from Stock on Stock.price > Stock.volume * 3 select symbol"), "IBM");
}

TEST(OnDemandQuery, AggregatesGiveOneRowOrOneAGroup) {
  AskedPlan plan = trades();
  EXPECT_EQ(plan.answer("from Stock select count() as n, sum(volume) as total, max(price) as top"),
            "5,147,75.5");
  EXPECT_EQ(plan.answer("from Stock on open select symbol, sum(volume) as total group by symbol"),
            "WSO2,130;IBM,null");
  EXPECT_EQ(plan.answer("from Stock select symbol group by symbol"),
            "WSO2;IBM;a symbol that fits in no sixteen bytes");
  EXPECT_EQ(plan.answer("from Stock select symbol, count() as n group by symbol, open "
                        "having n == 1 and not (price is null)"),
            "WSO2,1;IBM,1;IBM,1");
  EXPECT_EQ(plan.answer("from Stock select symbol having count() > 2"), "IBM");
}

TEST(OnDemandQuery, OrderLimitAndOffset) {
  AskedPlan plan = trades();
  EXPECT_EQ(plan.answer("from Stock select price order by price desc limit 2"), "75.5;70.0");
  EXPECT_EQ(plan.answer("from Stock select volume order by volume limit 3 offset 2"),
            "30;100;null");
  EXPECT_EQ(plan.answer("from Stock select symbol limit 1 offset 1"), "IBM");
  EXPECT_EQ(plan.answer("from Stock select * limit 0"), "");
  EXPECT_EQ(plan.answer("from Stock select symbol, sum(volume) as total group by symbol "
                        "order by total desc limit 2 offset 1"),
            "IBM,10;a symbol that fits in no sixteen bytes,7");
  EXPECT_EQ(plan.answer("from Stock select symbol, max(price) as top group by symbol "
                        "order by volume, top limit 1"),
            "a symbol that fits in no sixteen bytes,null");
}

TEST(OnDemandQuery, EmptyTablesGiveNoRows) {
  AskedPlan plan = trades();
  EXPECT_EQ(plan.answer("from Names"), "");
  EXPECT_EQ(plan.answer("from Names select count() as n"), "");
  QueryAnswer answer = plan.ask("from Names select name, count() as n group by name");
  ASSERT_TRUE(answer.status.ok());
  ASSERT_EQ(answer.rows->schema().size(), 2u);
  EXPECT_EQ(answer.rows->schema()[1].name, "n");
  EXPECT_EQ(answer.rows->schema()[1].type, AttributeType::kLong);
}

TEST(OnDemandQuery, WithinTakesTheTimesOfRows) {
  AskedPlan plan = trades();
  EXPECT_EQ(plan.answer("from Stock within 2000, 4000L select volume"), "10;30");
  EXPECT_EQ(plan.answer("from Stock on open within '1970-01-01 00:00:01', '1970-01-01 00:00:04' "
                        "select volume"),
            "100;30");
  EXPECT_EQ(plan.answer("from Stock within 4000L, 2000L select volume"), "");
  auto query = compiled("from Log within '1970-01-02 01:00:00 +01:00', '2024-02-29 23:59:59'");
  ASSERT_TRUE(query->time_range().has_value());
  EXPECT_EQ(query->time_range()->from_ms, 86'400'000);
  EXPECT_EQ(query->time_range()->to_ms, 1709251199000);
  EXPECT_FALSE(compiled("from Log")->time_range().has_value());
}

TEST(OnDemandQuery, AllMistakesAreToldAtOnce) {
  AskedPlan plan = trades();
  QueryAnswer answer =
      plan.ask("from Stock on volum > 3 within 'yesterday', 3L\nselect symbl, sum(symbol) as s");
  EXPECT_EQ(answer.status.code, QueryCode::kInvalid);
  EXPECT_EQ(answer.rows, nullptr);
  ASSERT_EQ(answer.diagnostics.size(), 4u) << to_text(answer.diagnostics, "query");
  EXPECT_EQ(answer.diagnostics[0].hint, "did you mean 'volume'?");
  EXPECT_EQ(answer.diagnostics[0].location.column, 15u);
  EXPECT_EQ(answer.diagnostics[1].location.column, 32u);
  EXPECT_EQ(answer.diagnostics[2].hint, "did you mean 'symbol'?");
  EXPECT_EQ(answer.diagnostics[2].location.line, 2u);

  QueryAnswer unknown = plan.ask("from Stok select symbol");
  ASSERT_EQ(unknown.diagnostics.size(), 1u);
  EXPECT_EQ(unknown.diagnostics[0].hint, "did you mean 'Stock'?");
  EXPECT_EQ(unknown.diagnostics[0].location.column, 6u);
  EXPECT_EQ(plan.engine().query("Stok", "from Stock", {}).status.code, QueryCode::kUnknownPlan);
}

TEST(OnDemandQuery, WhatCannotBeAskedIsRefused) {
  AskedPlan plan = trades();
  for (const char* text :
       {"from Stock on symbol", "from Stock on symbol in Names", "from Stock select symbol limit x",
        "from Stock select symbol limit -1", "from Stock select price, volume as price",
        "from Stock select count() as n group by count()", "from Stock within 3L",
        "from Stock within 3L, 4L per 'days'", "from Stock within volume, 4L",
        "from Stock within '2023-02-29 00:00:00', 4L", "from Trades", "from Stock#window.length(3)",
        "from Stock insert into Names", "from Stock select symbol; from Stock", "from", "",
        "from Stock as x select Stock2.symbol", "from Stock order by nothing",
        "define stream S (a int); from S insert into T"}) {
    QueryAnswer answer = plan.ask(text);
    EXPECT_EQ(answer.status.code, QueryCode::kInvalid) << text;
    EXPECT_FALSE(answer.diagnostics.empty()) << text;
  }
}

TEST(OnDemandQuery, ChangesAreRefusedAndChangeNothing) {
  AskedPlan plan = trades();
  for (const char* text :
       {"select 'x' as symbol, 'y' as name insert into Names", "delete Stock on Stock.volume > 0L",
        "update Stock set Stock.volume = 1L on Stock.open",
        "select 'x' as symbol, 'y' as name update or insert into Names on Names.symbol == "
        "symbol"}) {
    QueryAnswer answer = plan.ask(text);
    ASSERT_EQ(answer.diagnostics.size(), 1u) << text;
    EXPECT_NE(answer.diagnostics[0].message.find("changes a table"), std::string::npos) << text;
  }
  EXPECT_EQ(plan.answer("from Stock select count() as n"), "5");
}

TEST(OnDemandQuery, HowRowsArePackedNeverChangesTheAnswer) {
  constexpr int64_t kRows = 20'000;
  for (const char* text :
       {"from Log on code != 1 select user, n having n % 1000 == 0 order by user desc, n limit 7",
        "from Log select count() as c, sum(n) as s, avg(n) as a, distinctCount(user) as d",
        "from Log select user, code, count() as c, max(n) as m group by user, code "
        "having c > 1 order by m desc, user limit 9 offset 2",
        "from Log on n > 700 select user, n, sum(n) as s group by user "
        "having n < 9000 order by Log.code, s desc, n limit 5",
        "from Log select user, stdDev(n) as d group by user order by d desc, n desc limit 11",
        "from Log select n having n > 12345 limit 3", "from Log select n limit 3 offset 5000"}) {
    std::string whole = ask_in_batches(text, kRows, kRows, 5003);
    EXPECT_NE(whole, "") << text;
    EXPECT_EQ(ask_in_batches(text, kRows, 4096, 5003), whole) << text;
    EXPECT_EQ(ask_in_batches(text, kRows, 7, 5003), whole) << text;
  }
}

TEST(OnDemandQuery, GroupsOfManyRowsTakeLittleRoom) {
  OnDemandOptions options;
  options.rows_max = 10;
  auto query = compiled("from Log select user, count() as n group by user order by user", options);
  for (int64_t batch = 0; batch < 100; ++batch) {
    ASSERT_TRUE(query->take(*log_rows(batch * 1000, batch * 1000 + 1000, 10)).ok());
  }
  QueryAnswer answer = query->finish();
  ASSERT_TRUE(answer.status.ok()) << answer.status.reason;
  EXPECT_EQ(answer.rows->rows(), 10u);
  EXPECT_EQ(to_text(answer.rows->value(9, 1)), "10000");
}

TEST(OnDemandQuery, TooManyRowsOrGroupsOrBytesEndIt) {
  OnDemandOptions few;
  few.rows_max = 100;
  auto rows = compiled("from Log", few);
  QueryStatus status = rows->take(*log_rows(0, 101, 10));
  EXPECT_EQ(status.code, QueryCode::kTooLarge);
  EXPECT_NE(status.reason.find("100 rows"), std::string::npos) << status.reason;
  EXPECT_FALSE(rows->wants_more());
  EXPECT_EQ(rows->finish().status.code, QueryCode::kFailed);

  auto groups = compiled("from Log select user group by user", few);
  ASSERT_TRUE(groups->take(*log_rows(0, 101, 101)).ok());
  EXPECT_EQ(groups->finish().status.code, QueryCode::kTooLarge);
  auto many_groups = compiled("from Log select user group by user", few);
  EXPECT_EQ(many_groups->take(*log_rows(0, 10'000, 9000)).code, QueryCode::kTooLarge);

  OnDemandOptions small;
  small.bytes_max = 10'000;
  auto bytes = compiled("from Log", small);
  EXPECT_EQ(bytes->take(*log_rows(0, 10'000, 10)).code, QueryCode::kTooLarge);
}

TEST(OnDemandQuery, TheFirstRowsEndTheReading) {
  auto query = compiled("from Log on code == 1 select * limit 2 offset 1");
  EXPECT_TRUE(query->wants_more());
  ASSERT_TRUE(query->take(*log_rows(0, 6, 10)).ok());
  EXPECT_TRUE(query->wants_more());
  ASSERT_TRUE(query->take(*log_rows(6, 100, 10)).ok());
  EXPECT_FALSE(query->wants_more());
  EXPECT_EQ(text_of(*query->finish().rows), "u4,4,1;u7,7,1");
  EXPECT_FALSE(compiled("from Log select * limit 0")->wants_more());
  EXPECT_FALSE(compiled("from Log within 5L, 5L")->wants_more());
}

TEST(OnDemandQuery, KeysThatTheConditionGives) {
  auto query = compiled("from Log as l on 'u1' == l.user and n == 5 and (code == 1 or code == 2)");
  EXPECT_EQ(query->store(), "Log");
  EXPECT_EQ(query->key_equals("user"), Value{"u1"});
  EXPECT_EQ(query->key_equals("n"), Value{int64_t{5}});
  EXPECT_EQ(query->key_equals("code"), std::nullopt);
  EXPECT_EQ(compiled("from Log on user == 'a' or n == 5")->key_equals("user"), std::nullopt);
}

TEST(OnDemandQuery, RowsOfAnotherShapeAreRefused) {
  auto query = compiled("from Log");
  auto other = std::make_shared<Schema>("Log", std::vector<Attribute>{{"a", AttributeType::kInt}});
  EXPECT_EQ(query->take(*batch_of(other, {{int32_t{1}}}, {0})).code, QueryCode::kFailed);
}

TEST(OnDemandQuery, TheAnswerOutlivesTableAndEngine) {
  QueryAnswer answer;
  {
    AskedPlan plan = trades();
    answer = plan.ask("from Stock on volume == 7 select symbol");
  }
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(text_of(*answer.rows), "a symbol that fits in no sixteen bytes");
}

TEST(OnDemandQuery, TablesAreReadInBoundedBatches) {
  AskedPlan plan(
      "define stream S (k long, v string); define table T (k long, v string);"
      "define stream D (k long); from S insert into T; from D delete T on T.k == k;");
  std::vector<Row> rows;
  for (int64_t k = 0; k < 10'000; ++k) rows.push_back({k, "a value of more than twelve bytes"});
  test::NoResults none;
  EventBatchPtr batch =
      batch_of(plan.engine().input_schema("S"), rows, std::vector<int64_t>(rows.size(), 5));
  plan.engine().apply({{{1}, {99}}, {5}, EventsPayload{batch}}, none);
  plan.send("D", {int64_t{0}}, 6);
  std::vector<uint32_t> sizes;
  EXPECT_TRUE(plan.engine().read_table(plan.name(), "T", [&](const EventBatchPtr& part) {
    sizes.push_back(part->rows());
    return true;
  }));
  EXPECT_EQ(sizes, (std::vector<uint32_t>{4096, 4096, 1807}));
  EXPECT_FALSE(plan.engine().read_table(plan.name(), "U", [](const auto&) { return true; }));
  std::vector<TableInfo> tables = plan.engine().tables(plan.name());
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].rows, 9999u);
  EXPECT_EQ(plan.answer("from T select min(k) as least, count() as n"), "1,9999");
}

TEST(OnDemandQuery, HostileTextsAreAnsweredInWords) {
  AskedPlan plan = trades();
  std::string deep = "from Stock on " + std::string(5000, '(') + "open" + std::string(5000, ')');
  std::string chain = "from Stock select volume";
  for (int i = 0; i < 5000; ++i) chain += " + volume";
  std::string wide = "from Stock select ";
  for (int i = 0; i < 300; ++i) wide += "sum(volume) as a" + std::to_string(i) + ", ";
  std::string order = "from Stock select sum(volume) as total group by symbol order by total";
  for (int i = 0; i < 300; ++i) order += ", price desc";
  EXPECT_FALSE(plan.ask(deep).status.ok());
  EXPECT_FALSE(plan.ask(chain).status.ok());
  EXPECT_EQ(plan.ask(wide + "symbol group by symbol").rows->schema().size(), 301u);
  EXPECT_TRUE(plan.ask(order).status.ok());
  EXPECT_FALSE(plan.ask(std::string("from Stock\0on", 13)).status.ok());
  EXPECT_FALSE(plan.ask("from `rows of the query`").status.ok());
  EXPECT_FALSE(plan.ask("\xff\xfe\x80").status.ok());
  EXPECT_TRUE(plan.ask("from Stock select volume limit 9223372036854775807L offset "
                       "9223372036854775807L")
                  .status.ok());
}

}  // namespace
}  // namespace pollux
