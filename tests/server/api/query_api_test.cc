// POST /v1/query and GET /v1/stores: tables of plans and of record stores.

#include "tests/server/api/api_testing.h"

namespace pollux {
namespace {

class QueryApiTest : public ApiTest {
 protected:
  Answer ask(const std::string& query, const std::string& plan = "") {
    json body = {{"query", query}};
    if (!plan.empty()) body["plan"] = plan;
    return post("/v1/query", body);
  }

  /// Makes the table and writes rows of (host, hits, rate).
  void store(const std::string& table, const std::vector<std::vector<Value>>& rows,
             std::string_view store_name = kEventStore) {
    TableDefinition definition;
    definition.name = table;
    definition.schema =
        std::make_shared<Schema>(table, std::vector<Attribute>{{"host", AttributeType::kString},
                                                               {"hits", AttributeType::kLong},
                                                               {"rate", AttributeType::kFloat}});
    definition.primary_key = {"host"};
    definition.retention_ms = int64_t{3650} * 86'400'000;
    RecordStore* records = node_->stores().find(store_name);
    ASSERT_NE(records, nullptr);
    ASSERT_TRUE(records->open_table(definition).ok());
    EventBatch batch(definition.schema);
    std::vector<uint32_t> ordinals;
    int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count();
    for (const std::vector<Value>& row : rows) {
      for (size_t c = 0; c < row.size(); ++c) batch.append_value(c, row[c]);
      ordinals.push_back(static_cast<uint32_t>(ordinals.size()));
      batch.end_row(now);
    }
    Rows given{"-1234/test", {node_->stores().epoch_of("EVENT_STORE"), {1}}, &batch, ordinals};
    auto written =
        records->write(table, std::span(&given, 1), node_->stores().epoch_of("EVENT_STORE"));
    ASSERT_TRUE(written.ok()) << written.status();
    ASSERT_EQ(written->rows, rows.size());
  }
};

TEST_F(QueryApiTest, ATableOfAPlan) {
  deploy_logins();
  send(json({login("ada", 3), login("bob", 5)}).dump());
  Answer answer = ask("from Users on tries > 3 select user, tries");
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.body["columns"],
            json({{{"name", "user"}, {"type", "string"}}, {{"name", "tries"}, {"type", "int"}}}));
  EXPECT_EQ(answer.body["rows"], json::array({json::array({"bob", 5})}));
  EXPECT_GE(answer.body["elapsed_ms"], 0);
  answer = call("POST", "/v1/query?plan=Logins", "from Users select user, tries order by tries",
                {{"Content-Type", "text/plain"}});
  EXPECT_EQ(answer.body["rows"], json::array({{"ada", 3}, {"bob", 5}})) << answer.text;
}

TEST_F(QueryApiTest, AWriteTakesItsPlaceAmongTheEvents) {
  deploy_logins();
  send(json({login("ada", 3), login("bob", 5)}).dump());
  Answer written = ask("update Users set Users.tries = 9 on Users.user == 'ada'");
  ASSERT_EQ(written.status, 200) << written.text;
  EXPECT_GE(written.body["elapsed_ms"], 0);
  ASSERT_EQ(ask("delete Users on Users.user == 'bob'").status, 200);
  EXPECT_EQ(ask("from Users select user, tries").body["rows"], json::array({{"ada", 9}}));
  Answer wrong = ask("update Users set Users.nope = 9 on Users.user == 'ada'");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.code(), "query_errors") << wrong.text;
  EXPECT_EQ(ask("delete Nobody on Nobody.a == 1").code(), "unknown_table");
  store("HITS", {{std::string("a"), int64_t{1}, 1.0F}});
  EXPECT_EQ(ask("delete HITS on HITS.host == 'a'").code(), "read_only");
  EXPECT_EQ(ask("from HITS select host").body["rows"], json::array({json::array({"a"})}));
}

TEST_F(QueryApiTest, AnAnswerHoldsAllThatWasAcknowledgedBefore) {
  deploy_logins();
  for (int i = 1; i <= 200; ++i) {
    ASSERT_EQ(send(login("u" + std::to_string(i)).dump()).status, 200);
    Answer answer = ask("from Users select count() as n");
    ASSERT_EQ(answer.body["rows"], json::array({json::array({i})})) << answer.text;
  }
}

TEST_F(QueryApiTest, ATableOfAStoreAndItsPlaceInTheList) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  store("HITS", {{std::string("a"), int64_t{9007199254740993}, 0.1F},
                 {std::string("b"), std::monostate{}, nan},
                 {std::string("a\xff"), int64_t{1}, -2.5F}});
  Answer answer = ask("from HITS select host, hits, rate");
  ASSERT_EQ(answer.status, 200) << answer.text;
  json rows = answer.body["rows"];
  ASSERT_EQ(rows.size(), 3) << answer.text;
  EXPECT_EQ(rows[0].dump(), R"(["a",9007199254740993,0.1])");
  EXPECT_NE(answer.text.find(R"(["b",null,"NaN"])"), std::string::npos) << answer.text;
  EXPECT_EQ(ask("from HITS on host == 'b' select host").body["rows"],
            json::array({json::array({"b"})}));

  json stores = get("/v1/stores").body["stores"];
  ASSERT_EQ(stores.size(), 3) << stores;
  for (const json& each : stores) {
    if (each["name"] != kEventStore) {
      EXPECT_EQ(each["tables"], json::array());
      continue;
    }
    ASSERT_EQ(each["tables"].size(), 1);
    EXPECT_EQ(each["tables"][0]["name"], "HITS");
    EXPECT_EQ(each["tables"][0]["rows"], 3);
    EXPECT_EQ(each["tables"][0]["primary_key"], json({"host"}));
    EXPECT_EQ(each["tables"][0]["retention_ms"], int64_t{3650} * 86'400'000);
  }
}

TEST_F(QueryApiTest, RowsOfAStoreSurviveARestart) {
  store("HITS", {{std::string("a"), int64_t{1}, 1.0F}});
  json before = get("/v1/node").body;
  restart();
  EXPECT_EQ(ask("from HITS select hits").body["rows"], json::array({json::array({1})}));
  EXPECT_GT(get("/v1/node").body["epoch"], before["epoch"]);
}

TEST_F(QueryApiTest, TablesOfOneNameMustBeToldApart) {
  deploy_logins();
  std::string twin = kLogins;
  twin.replace(twin.find("'Logins'"), 8, "'Twin'");
  ASSERT_EQ(deploy(twin).status, 201);
  Answer answer = ask("from Users select user");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "ambiguous_table") << answer.text;
  EXPECT_NE(answer.text.find("plan Logins, plan Twin"), std::string::npos) << answer.text;
  EXPECT_EQ(ask("from Users select user", "Twin").status, 200);
  store("Users", {{std::string("a"), int64_t{1}, 1.0F}});
  ASSERT_EQ(call("DELETE", "/v1/plans/Twin").status, 200);
  EXPECT_EQ(ask("from Users select user").code(), "ambiguous_table") << "a plan and a store";
  store("HITS", {{std::string("a"), int64_t{1}, 1.0F}});
  store("HITS", {{std::string("a"), int64_t{1}, 1.0F}}, kProcessedDataStore);
  EXPECT_EQ(ask("from HITS select hits").code(), "ambiguous_table");
}

TEST_F(QueryApiTest, UnknownTablesAndMistakes) {
  deploy_logins();
  Answer answer = ask("from Nothing select a");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.code(), "unknown_table");
  EXPECT_EQ(ask("from Users select user", "Nobody").status, 404);
  for (const char* query : {"", "from", "from Users select nope", "from Users select user foo",
                            "select 1", "from Users on tries select user", "\xff", "((((((("}) {
    answer = ask(query == std::string("\xff") ? "?" : query);
    EXPECT_EQ(answer.status, 400) << query << answer.text;
    EXPECT_EQ(answer.code(), "query_errors") << answer.text;
    ASSERT_GE(answer.body["error"]["diagnostics"].size(), 1) << query;
    EXPECT_GE(answer.body["error"]["diagnostics"][0]["line"], 1) << query;
  }
  store("HITS", {{std::string("a"), int64_t{1}, 1.0F}});
  EXPECT_EQ(ask("from HITS select nope").code(), "query_errors");
  for (const char* body : {"{", "[]", "{}", "{\"query\": 1}"}) {
    Answer wrong = call("POST", "/v1/query", body, {{"Content-Type", "application/json"}});
    EXPECT_EQ(wrong.status, 400);
    EXPECT_EQ(wrong.code(), "bad_request");
  }
  EXPECT_EQ(
      call("POST", "/v1/query", std::string(50'000, '('), {{"Content-Type", "text/plain"}}).code(),
      "query_errors");
}

TEST_F(QueryApiTest, TooManyRowsAreRefused) {
  start({"POLLUX__QUERY__ROWS_MAX=2"});
  deploy_logins();
  send(json({login("a"), login("b"), login("c")}).dump());
  Answer answer = ask("from Users select user");
  EXPECT_EQ(answer.status, 413) << answer.text;
  EXPECT_EQ(answer.code(), "too_large");
  EXPECT_EQ(ask("from Users on user == 'a' select user").status, 200);
  EXPECT_EQ(ask("from Users select user limit 2").status, 200);
}

}  // namespace
}  // namespace pollux
