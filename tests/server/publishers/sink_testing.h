// A node with sinks, and a webhook's other side, for tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "server/http/http_server.h"
#include "server/publishers/sink_manager.h"
#include "storage/record_store.h"
#include "tests/server/node/node_testing.h"

namespace pollux {

inline bool soon(const std::function<bool()>& condition) {
  auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = testing::TempDir() + "sinks-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
inline std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Answers as it is told, request by request; then with 200.
class Webhook {
 public:
  struct Request {
    std::string body;
    std::string id;
    std::string content_type;
    std::string other;  ///< header X-Test
  };

  explicit Webhook(uint16_t port = 0) {
    Router router;
    router.add({"POST", "/hook", [this](HttpRequest request, const Responder& responder) {
                  HttpResponse response{200, "text/plain", ""};
                  {
                    std::lock_guard lock(mutex_);
                    auto header = [&](std::string_view name) {
                      return std::string(request.headers.find(name).value_or(""));
                    };
                    requests_.push_back({request.body, header("Pollux-Result-Id"),
                                         header("Content-Type"), header("X-Test")});
                    if (silent_) {
                      unanswered_.push_back(responder);
                      return;
                    }
                    if (!answers_.empty()) {
                      response = answers_.front();
                      answers_.erase(answers_.begin());
                    }
                  }
                  responder.answer(std::move(response));
                }});
    HttpServerOptions options;
    options.port = port;
    auto started = HttpServer::start(options, std::move(router));
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }
  ~Webhook() {
    answer_nobody();
    server_->stop(std::chrono::milliseconds(0));
  }

  void will_answer(int status, std::vector<HttpParameter> headers = {}) {
    std::lock_guard lock(mutex_);
    answers_.push_back({status, "text/plain", "as told", std::move(headers)});
  }
  /// Takes requests and lets them wait.
  void be_silent(bool silent) {
    std::lock_guard lock(mutex_);
    silent_ = silent;
  }
  void answer_nobody() {
    std::lock_guard lock(mutex_);
    unanswered_.clear();
  }
  std::vector<Request> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  uint16_t port() const { return server_->port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()) + "/hook"; }

 private:
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<HttpResponse> answers_;
  std::vector<Responder> unanswered_;
  bool silent_ = false;
  std::unique_ptr<HttpServer> server_;
};

/// A node whose plan P copies stream In (name string, n long) to Out, with sinks on Out.
class SinkTest : public testing::Test {
 protected:
  SinkTest() { make_node({}); }
  ~SinkTest() override {
    sinks_->stop();
    node_->stop();
  }

  void make_node(NodeOptions options) {
    options.epoch = Epoch{1};
    options.workers = 1;
    if (sinks_ != nullptr) sinks_->stop();
    sinks_ = std::make_unique<SinkManager>(environment());
    node_ = std::make_unique<Node>(options);
    node_->add_observer(*sinks_);
    node_->set_dependents([this](const PlanInfo& plan) { return sinks_->dependents(plan); });
  }

  SinkEnvironment environment() {
    SinkEnvironment environment;
    environment.log_line = [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      logged_.emplace_back(line);
    };
    environment.warn = [this](const std::string& text) {
      std::lock_guard lock(mutex_);
      warnings_.push_back(text);
    };
    environment.find_store = [this](std::string_view /*name*/) {
      return StoreAccess{store_.get(), false, [] { return Epoch{1}; }};
    };
    return environment;
  }

  static std::string plan_text(const std::string& sinks, const std::string& name = "P") {
    return "@plan:name('" + name + "')\ndefine stream In (name string, n long);\n" + sinks +
           "\ndefine stream Out (name string, n long);\n" +
           "from In select name, n insert into Out;\n";
  }
  Deployed deploy(const std::string& text, bool replace = false) {
    DeployRequest request;
    request.text = text;
    request.replace = replace;
    return node_->deploy(request);
  }
  void deploy_sinks(const std::string& sinks, bool replace = false) {
    Deployed deployed = deploy(plan_text(sinks), replace);
    ASSERT_EQ(deployed.outcome, Deployed::Outcome::kDeployed)
        << deployed.reason << to_text(deployed.diagnostics, "plan");
  }
  absl::Status send(const std::string& name, int64_t n) {
    SchemaPtr schema = node_->intake().schema_of("In");
    if (schema == nullptr) return absl::NotFoundError("no plan takes In");
    return submit(node_->intake(), submission_of(batch_of(schema, {{Value{name}, Value{n}}})))
        .status;
  }
  SinkCounts counts(size_t index = 0) const {
    std::vector<SinkInfo> states = sinks_->states();
    return index < states.size() ? states[index].counts : SinkCounts{};
  }
  std::string warnings() {
    std::lock_guard lock(mutex_);
    std::string text;
    for (const std::string& warning : warnings_) text += warning + "\n";
    return text;
  }

  std::mutex mutex_;
  std::vector<std::string> logged_;
  std::vector<std::string> warnings_;
  TestFolder folder_;
  std::unique_ptr<RecordStore> store_;
  std::unique_ptr<SinkManager> sinks_;
  std::unique_ptr<Node> node_;
};

}  // namespace pollux
