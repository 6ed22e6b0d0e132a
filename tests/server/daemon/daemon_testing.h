// polluxd in a folder of its own, on ports of the kernel's choice, and a client.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/http/http_client.h"
#include "tests/server/shell_testing.h"

namespace pollux {

class DaemonTest : public ShellTest {
 protected:
  static constexpr const char* kVariables =
      "POLLUX__HTTP__BIND_ADDRESS=127.0.0.1 POLLUX__GRPC__BIND_ADDRESS=127.0.0.1 "
      "POLLUX__GRPC__PORT=0 ";

  void TearDown() override {
    for (pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    ShellTest::TearDown();
  }

  /// Starts polluxd with more variables of the environment; its log is in the file `log`.
  pid_t start_polluxd(const std::string& variables = "", const std::string& log = "log",
                      const std::string& options = "", const std::string& program = "polluxd") {
    std::string port =
        variables.find("HTTP__PORT") == std::string::npos ? "POLLUX__HTTP__PORT=0 " : "";
    pid_t child = start(kVariables + port + variables + " POLLUX__LOG__FILE=" + log + " exec " +
                        program + " " + options);
    children_.push_back(child);
    return child;
  }
  /// Runs polluxd to its end, which must be the exit code 2; what it logged.
  std::string failing_polluxd(const std::string& variables, const std::string& prefix = "") {
    ShellResult run = shell(prefix + "env POLLUX__HTTP__PORT=0 " + kVariables + variables +
                            " timeout 20 polluxd");
    EXPECT_EQ(run.exit_code, 2) << run.err;
    EXPECT_NE(run.err.find("polluxd cannot start"), std::string::npos) << run.err;
    return run.err;
  }
  ShellResult end(pid_t child, int signal = SIGTERM) {
    ::kill(child, signal);
    std::erase(children_, child);
    return finish(child);
  }

  static bool becomes_true(const std::function<bool()>& condition) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  bool logged(const std::string& text, const std::string& log = "log") const {
    bool found = becomes_true([&] { return read(log).find(text) != std::string::npos; });
    EXPECT_TRUE(found) << "no " << text << " in " << read(log) << read(".err");
    return found;
  }
  /// The number behind `name` in the line with `text`; waits for it.
  int logged_number(const std::string& text, const std::string& name,
                    const std::string& log = "log") const {
    if (!logged(text, log)) return 0;
    std::string all = read(log);
    size_t at = all.find(name, all.rfind(text));
    return at == std::string::npos ? 0 : std::stoi(all.substr(at + name.size()));
  }
  /// Of the polluxd that logs there, once it has started.
  std::string base_url(const std::string& log = "log") const {
    logged("polluxd started", log);
    return "http://127.0.0.1:" + std::to_string(logged_number("listening for HTTP", "port=", log));
  }

  absl::StatusOr<HttpClientResponse> call(const std::string& method, const std::string& url,
                                          std::string_view body = {},
                                          const std::string& type = "application/json") {
    HttpClientRequest request;
    request.method = method;
    request.url = url;
    if (!body.empty()) request.headers = {{"Content-Type", type}};
    request.body = body;
    return client_.request(request);
  }
  std::string get(const std::string& url) {
    auto response = call("GET", url);
    return response.ok() ? response->body : std::string(response.status().message());
  }
  /// The number that follows `name` in a text of JSON.
  static int64_t number_in(const std::string& json, const std::string& name) {
    size_t at = json.find('"' + name + "\":");
    return at == std::string::npos ? -1 : std::stoll(json.substr(at + name.size() + 3));
  }

  HttpClient client_;

 private:
  std::vector<pid_t> children_;
};

}  // namespace pollux
