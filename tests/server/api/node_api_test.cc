// The node's own routes, the page that describes them all, and what no route is.

#include <set>

#include "server/api/api.h"
#include "tests/server/api/api_testing.h"

namespace pollux {
namespace {

class NodeApiTest : public ApiTest {};

TEST_F(NodeApiTest, TheNodeTellsWhoItIs) {
  deploy_logins();
  send(login("a").dump());
  Answer answer = get("/v1/node");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["node"], "castor");
  EXPECT_EQ(answer.body["version"], "1.2.3");
  EXPECT_EQ(answer.body["role"], "active");
  EXPECT_EQ(answer.body["state"], "running");
  EXPECT_EQ(answer.body["durable"], true);
  EXPECT_EQ(answer.body["epoch"], 1);
  EXPECT_EQ(answer.body["position"], 2);
  EXPECT_EQ(answer.body["http_port"], node_->http_port());
  EXPECT_EQ(answer.body["grpc_port"], node_->grpc_port());
  EXPECT_GE(answer.body["uptime_ms"], 0);
  EXPECT_EQ(
      answer.body["counts"],
      json({{"entries", 2}, {"events", 1}, {"duplicates", 0}, {"refused", 0}, {"waiting", 0}}));
}

TEST_F(NodeApiTest, Probes) {
  for (const char* path : {"/livez", "/readyz", "/readyz?role=active"}) {
    Answer answer = get(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.text, "ok\n");
  }
  EXPECT_EQ(get("/readyz?role=passive").status, 503);
  Answer answer = get("/readyz?role=king");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "bad_request");
  EXPECT_EQ(call("HEAD", "/livez").status, 200);
}

TEST_F(NodeApiTest, WhatIsNotServedIsAnErrorInJson) {
  for (const char* path : {"/", "/v1", "/v1/nothing", "/v1/plans/a/b", "/v1/streams//events"}) {
    Answer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_FALSE(answer.code().empty()) << answer.text;
  }
  Answer answer = call("PUT", "/v1/plans", "x");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.find("Allow"), "GET, HEAD, POST");
  EXPECT_FALSE(answer.code().empty());
}

TEST_F(NodeApiTest, TheOpenApiPageHasAllRoutesAndNoOthers) {
  ApiParts parts{node_->node(),
                 node_->node().intake(),
                 node_->stores(),
                 node_->sinks(),
                 node_->receivers(),
                 nullptr,
                 nullptr,
                 *log_,
                 {},
                 "",
                 {}};
  std::set<std::pair<std::string, std::string>> served;
  for (auto& route : make_api(parts).routes()) served.insert(std::move(route));
  std::set<std::pair<std::string, std::string>> described;
  std::set<std::string> ids;
  json page = get("/v1/openapi.json").body;
  EXPECT_TRUE(page["openapi"].get<std::string>().starts_with("3."));
  for (const auto& [path, methods] : page["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      std::string name = method;
      for (char& c : name) c = static_cast<char>(::toupper(c));
      described.emplace(name, path);
      EXPECT_TRUE(ids.insert(operation["operationId"]).second) << operation["operationId"];
      EXPECT_FALSE(operation["responses"].empty()) << path;
      size_t in_path = 0;
      if (operation.contains("parameters")) {
        for (const json& parameter : operation["parameters"]) in_path += parameter["in"] == "path";
      }
      EXPECT_EQ(in_path, std::count(path.begin(), path.end(), '{')) << path;
    }
  }
  EXPECT_EQ(described, served);
}

TEST_F(NodeApiTest, AStoppingNodeIsNotReadyAndTakesNothing) {
  deploy_logins();
  // As it is between SIGTERM and the end: the intake is closed, HTTP still answers.
  ASSERT_TRUE(node_->node().drain(std::chrono::seconds(20)));
  Answer answer = send(login("a").dump());
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "stopping");
  EXPECT_EQ(answer.headers.find("Retry-After"), "1");
  answer = deploy(kLogins, "?replace=true");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "stopping");
}

}  // namespace
}  // namespace pollux
