// /v1/plans: deploy, replace, refuse, show, remove.

#include "tests/server/api/api_testing.h"

namespace pollux {
namespace {

class PlansApiTest : public ApiTest {};

TEST_F(PlansApiTest, DeployShowListDelete) {
  Answer deployed = deploy(kLogins);
  EXPECT_EQ(deployed.status, 201);
  EXPECT_EQ(deployed.body, json({{"plan", "Logins"},
                                 {"epoch", get("/v1/node").body["epoch"]},
                                 {"position", 1},
                                 {"replaced", false}}));
  ASSERT_EQ(send(json({login("a"), login("b"), login("a", 7)}).dump()).status, 200);

  Answer shown = get("/v1/plans/Logins");
  ASSERT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body["name"], "Logins");
  EXPECT_EQ(shown.body["state"], "running");
  EXPECT_EQ(shown.body["origin"], "api");
  EXPECT_EQ(shown.body["text"], kLogins);
  EXPECT_EQ(shown.body["inputs"], json({"Logins"}));
  EXPECT_EQ(shown.body["outputs"], json({"Seen"}));
  EXPECT_EQ(shown.body["queries"].size(), 2);
  EXPECT_EQ(shown.body["queries"][0]["line"], 1);
  EXPECT_EQ(shown.body["counts"]["events"], 3);
  EXPECT_EQ(shown.body["counts"]["results"], 3);
  ASSERT_EQ(shown.body["tables"].size(), 1);
  EXPECT_EQ(shown.body["tables"][0]["name"], "Users");
  EXPECT_EQ(shown.body["tables"][0]["rows"], 2);
  EXPECT_GT(shown.body["tables"][0]["state_bytes"], 0);
  std::string at = shown.body["deployed_at"];
  EXPECT_EQ(at.size(), 24);
  EXPECT_TRUE(at.starts_with("20") && at.ends_with("Z")) << at;

  json list = get("/v1/plans").body["plans"];
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0]["name"], "Logins");
  EXPECT_EQ(call("DELETE", "/v1/plans/Logins").body,
            json({{"plan", "Logins"}, {"undeployed", true}}));
  EXPECT_EQ(call("DELETE", "/v1/plans/Logins").code(), "unknown_plan");
  Answer gone = get("/v1/plans/Logins");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.code(), "unknown_plan");
  EXPECT_EQ(send(login("a").dump()).code(), "unknown_stream");
  EXPECT_EQ(get("/v1/plans").body["plans"], json::array());
}

TEST_F(PlansApiTest, NamesComeFromTheTextTheRequestOrAreGiven) {
  const char* text = "define stream S (a int); from S select a insert into T;";
  EXPECT_EQ(deploy(text).body["plan"], "plan");
  EXPECT_EQ(deploy(text, "?name=mine").body["plan"], "mine");
  EXPECT_EQ(post("/v1/plans", {{"text", text}, {"name", "ours"}}).body["plan"], "ours");
  EXPECT_EQ(deploy(kLogins, "?name=mine2").body["plan"], "Logins") << "the text goes first";
  EXPECT_EQ(deploy(text, "?name=a%20b%2Fc").body["plan"], "a b/c");
  EXPECT_EQ(get("/v1/plans/a%20b%2Fc").body["name"], "a b/c");
}

TEST_F(PlansApiTest, ParametersAreFilledInBeforeATextIsRead) {
  const char* text =
      "@app:name('P') define stream S (a int);\nfrom S[a > ${least} and a < ${most:9}] select a "
      "insert into ${out};";
  Answer missing = deploy(text);
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(missing.body["error"]["diagnostics"].size(), 2u);
  EXPECT_EQ(missing.body["error"]["diagnostics"][0]["line"], 2);
  EXPECT_EQ(missing.body["error"]["diagnostics"][0]["column"], 12);
  EXPECT_EQ(missing.body["error"]["diagnostics"][0]["message"], "parameter 'least' has no value");

  json given = {{"text", text}, {"parameters", {{"least", 3}, {"out", "Found"}}}};
  EXPECT_EQ(post("/v1/plans", given).status, 201);
  Answer shown = get("/v1/plans/P");
  EXPECT_EQ(shown.body["outputs"], json::array({"Found"}));
  EXPECT_EQ(shown.body["text"], text) << "as it was sent";

  given["parameters"]["least"] = "none";
  Answer wrong = post("/v1/plans/validate", given);
  EXPECT_EQ(wrong.body["valid"], false);
  EXPECT_EQ(wrong.body["diagnostics"][0]["column"], 12) << "that of the parameter";
  for (const json& odd : {json(1), json::array(), json({{"a b", "x"}}), json({{"a", nullptr}})}) {
    EXPECT_EQ(post("/v1/plans", {{"text", text}, {"parameters", odd}}).status, 400) << odd;
  }
}

TEST_F(PlansApiTest, ReplacingIsAsked) {
  deploy_logins();
  Answer exists = deploy(kLogins);
  EXPECT_EQ(exists.status, 409);
  EXPECT_EQ(exists.code(), "plan_exists");
  EXPECT_EQ(deploy(kLogins, "?replace=true").body["replaced"], true);
  EXPECT_EQ(post("/v1/plans", {{"text", kLogins}, {"replace", true}}).body["replaced"], true);
  // With other attributes, as nobody else has the stream.
  EXPECT_EQ(
      deploy("@app:name('Logins') define stream Logins (user string); from Logins select user "
             "insert into Seen;",
             "?replace=true")
          .status,
      201);
  EXPECT_EQ(send(R"({"user":"a"})").status, 200);
}

TEST_F(PlansApiTest, AStreamMeansTheSameInAllPlans) {
  deploy_logins();
  uint64_t before = position();
  Answer conflict =
      deploy("define stream Logins (user int); from Logins select user insert into X;");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.code(), "stream_conflict");
  EXPECT_NE(conflict.text.find("Logins"), std::string::npos);
  conflict = deploy("define stream L (a int); from L select a insert into Seen;");
  EXPECT_EQ(conflict.code(), "stream_conflict");
  EXPECT_EQ(position(), before);
}

TEST_F(PlansApiTest, AllMistakesAreToldWithTheirPlaces) {
  const char* text =
      "define stream S (a int);\nfrom S select b insert into T;\nfrom U select a "
      "insert into V;\n";
  Answer answer = deploy(text);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "plan_errors");
  const json& diagnostics = answer.body["error"]["diagnostics"];
  ASSERT_EQ(diagnostics.size(), 2) << answer.text;
  EXPECT_EQ(diagnostics[0]["line"], 2);
  EXPECT_EQ(diagnostics[1]["line"], 3);
  EXPECT_GT(diagnostics[0]["column"], 0);
  EXPECT_FALSE(diagnostics[0]["message"].get<std::string>().empty());
  EXPECT_EQ(position(), 0);

  Answer checked = call("POST", "/v1/plans/validate", text, {{"Content-Type", "text/plain"}});
  EXPECT_EQ(checked.status, 200);
  EXPECT_EQ(checked.body["valid"], false);
  EXPECT_EQ(checked.body["diagnostics"], diagnostics);
  checked = post("/v1/plans/validate", {{"text", kLogins}});
  EXPECT_EQ(checked.body,
            json({{"valid", true}, {"plan", "Logins"}, {"diagnostics", json::array()}}));
  EXPECT_EQ(get("/v1/plans").body["plans"], json::array());
}

TEST_F(PlansApiTest, HostileTextsAreRefused) {
  for (const std::string& text :
       {std::string(), std::string("\0\1\2", 3), std::string("\xff\xfe"), std::string(100'000, '('),
        std::string(100'000, '@'), "from S[" + std::string(50'000, '!') + "a] insert into T;",
        std::string("--\n/*")}) {
    Answer answer = deploy(text);
    EXPECT_EQ(answer.status, 400) << answer.text.substr(0, 300);
    EXPECT_EQ(answer.code(), "plan_errors");
  }
  for (const char* body : {"{", "[]", "1", "{\"text\": 1}", "{}", ""}) {
    Answer answer =
        call("POST", "/v1/plans", body, {{"Content-Type", "application/json; charset=utf-8"}});
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.code(), "bad_request") << body;
  }
  std::string deep = std::string(100'000, '[');
  EXPECT_EQ(call("POST", "/v1/plans", deep, {{"Content-Type", "application/json"}}).status, 400);
  EXPECT_EQ(deploy(std::string(5 << 20, ' ')).status, 413);
}

TEST_F(PlansApiTest, APlanThatIsNeededIsOnlyRemovedByForce) {
  deploy_logins();
  node_->node().set_dependents([](const PlanInfo& plan) {
    return std::vector<std::string>{"sink 'x' reads " + plan.name, "sink 'y' reads it"};
  });
  Answer needed = call("DELETE", "/v1/plans/Logins");
  EXPECT_EQ(needed.status, 409);
  EXPECT_EQ(needed.code(), "plan_needed");
  EXPECT_EQ(needed.body["error"]["needed_by"],
            json({"sink 'x' reads Logins", "sink 'y' reads it"}));
  EXPECT_EQ(call("DELETE", "/v1/plans/Logins?force=false").status, 409);
  EXPECT_EQ(call("DELETE", "/v1/plans/Logins?force=true").status, 200);
}

TEST_F(PlansApiTest, StreamsOverAllPlans) {
  deploy_logins();
  ASSERT_EQ(deploy("@app:name('More') define stream Seen (user string, tries int);"
                   "from Seen select user insert into Last;")
                .status,
            201);
  json list = get("/v1/streams").body["streams"];
  ASSERT_EQ(list.size(), 3) << list;
  EXPECT_EQ(list[0]["name"], "Last");
  EXPECT_EQ(list[1]["name"], "Logins");
  json attributes = list[1]["attributes"];
  ASSERT_EQ(attributes.size(), 6);
  EXPECT_EQ(attributes[0], json({{"name", "user"}, {"type", "string"}}));
  EXPECT_EQ(attributes[3]["type"], "float");
  EXPECT_EQ(list[2]["plans"], json({"Logins", "More"}));
  EXPECT_EQ(list[2]["takes_events"], true);
  EXPECT_EQ(list[2]["has_results"], true);

  send(json({login("a"), login("b")}).dump());
  ASSERT_TRUE(becomes_true([&] {
    return get("/v1/streams/Seen").body["results"] == json({{"oldest", 1}, {"next", 3}});
  }));
  EXPECT_FALSE(get("/v1/streams/Logins").body.contains("results"));
  EXPECT_EQ(get("/v1/streams/Nobody").status, 404);
  EXPECT_EQ(get("/v1/streams/Nobody").code(), "unknown_stream");
}

TEST_F(PlansApiTest, ValidateJudgesSinksAsDeployDoes) {
  const char* text =
      "define stream S (a int);"
      "@sink(type='carrier-pigeon') define stream T (a int);"
      "from S select a insert into T;";
  Answer validated = call("POST", "/v1/plans/validate", text);
  EXPECT_EQ(validated.body["valid"], false) << validated.text;
  EXPECT_EQ(validated.body["diagnostics"].size(), 1) << validated.text;
  EXPECT_EQ(deploy(text).body["error"]["diagnostics"], validated.body["diagnostics"]);
}

}  // namespace
}  // namespace pollux
