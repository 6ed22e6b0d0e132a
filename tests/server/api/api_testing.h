// A whole node in the process, and a client that speaks JSON with it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "server/daemon/composition.h"
#include "server/http/http_client.h"
#include "server/settings/load.h"

namespace pollux {

using nlohmann::json;

struct Answer {
  int status = 0;
  json body;  ///< discarded when it is no JSON
  std::string text;
  HttpHeaders headers;

  std::string code() const { return body.value(json::json_pointer("/error/code"), ""); }
};

class ApiTest : public testing::Test {
 protected:
  static constexpr const char* kLogins =
      "@app:name('Logins') define stream Logins (user string, tries int, total long, rate float, "
      "score double, ok bool);"
      "@primaryKey('user') define table Users (user string, tries int);"
      "from Logins select user, tries insert into Seen;"
      "from Logins select user, tries update or insert into Users set Users.tries = tries "
      "on Users.user == user;";

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "pollux_api.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    start();
  }
  void TearDown() override {
    node_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// Starts a node that knows of nothing, in the place of the one that is there.
  void start(std::vector<std::string> variables = {}) {
    node_.reset();
    std::filesystem::remove_all(folder_ + "/data");
    restart(std::move(variables));
  }
  /// Starts it once more with what it has on the disk.
  void restart(std::vector<std::string> variables = {}) {
    node_.reset();
    for (const char* each :
         {"POLLUX__HTTP__PORT=0", "POLLUX__GRPC__PORT=0", "POLLUX__HTTP__BIND_ADDRESS=127.0.0.1",
          "POLLUX__GRPC__BIND_ADDRESS=127.0.0.1", "POLLUX__NODE__NAME=castor"}) {
      variables.emplace_back(each);
    }
    variables.push_back("POLLUX__DATA_DIR=" + folder_ + "/data");
    LoadedSettings loaded = load_settings({"", variables});
    for (const SettingError& error : loaded.errors) ADD_FAILURE() << to_text(error);
    auto log = Logger::open({.file = folder_ + "/log"});
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    auto node = Composition::start(loaded.settings, "1.2.3", *log_);
    ASSERT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(node_->http_port()) + path;
  }

  Answer call(const std::string& method, const std::string& path, std::string_view body = {},
              std::vector<HttpParameter> headers = {}) {
    HttpClientRequest request;
    request.method = method;
    request.url = url(path);
    request.headers = std::move(headers);
    request.body = body;
    auto response = client_.request(request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return {};
    return {response->status, json::parse(response->body, nullptr, false), response->body,
            response->headers};
  }
  Answer get(const std::string& path) { return call("GET", path); }
  Answer post(const std::string& path, const json& body) {
    return call("POST", path, body.dump(), {{"Content-Type", "application/json"}});
  }
  Answer send(std::string_view body, const std::string& type = "application/json",
              std::vector<HttpParameter> headers = {}, const std::string& query = "") {
    headers.push_back({"Content-Type", type});
    return call("POST", "/v1/streams/Logins/events" + query, body, std::move(headers));
  }
  Answer deploy(std::string_view text, const std::string& query = "") {
    return call("POST", "/v1/plans" + query, text, {{"Content-Type", "text/plain"}});
  }
  void deploy_logins() {
    Answer answer = deploy(kLogins);
    ASSERT_EQ(answer.status, 201) << answer.text;
  }

  /// A good flat event.
  static json login(const std::string& user, int tries = 1) {
    return {{"user", user}, {"tries", tries}, {"total", 5},
            {"rate", 0.1},  {"score", 0.5},   {"ok", true}};
  }
  uint64_t position() { return get("/v1/node").body["position"]; }
  static bool becomes_true(const std::function<bool()>& condition) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  std::string logged() const {
    std::ifstream file(folder_ + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder_;
  std::unique_ptr<Logger> log_;
  std::unique_ptr<Composition> node_;
  HttpClient client_;
};

}  // namespace pollux
