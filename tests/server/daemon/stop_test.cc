// SIGTERM while senders send: everything acknowledged has been applied, and who is late hears so.

#include <atomic>
#include <fstream>

#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

class StopTest : public DaemonTest {
 protected:
  /// Sends until it is refused or cut; events acknowledged.
  uint64_t send_until_refused(const std::string& url, std::atomic<uint64_t>& acknowledged) {
    HttpClient client;
    uint64_t mine = 0;
    while (true) {
      HttpClientRequest request;
      request.method = "POST";
      request.url = url;
      request.headers = {{"Content-Type", "application/json"}};
      request.body = R"([{"a":1},{"a":2},{"a":3}])";
      auto response = client.request(request);
      if (!response.ok()) return mine;  // the connection was cut or refused
      if (response->status == 200) {
        mine += 3;
        acknowledged += 3;
      } else if (response->status == 503) {
        EXPECT_NE(response->body.find("\"stopping\""), std::string::npos) << response->body;
        EXPECT_TRUE(response->headers.find("Retry-After"));
        return mine;
      } else {
        EXPECT_EQ(response->status, 429) << response->body;
      }
    }
  }
};

TEST_F(StopTest, WhatWasAcknowledgedHasPassedThePlans) {
  pid_t child = start_polluxd("POLLUX__SHUTDOWN__DRAIN_TIMEOUT='20 s'");
  std::string base = base_url();
  ASSERT_EQ(
      call("POST", base + "/v1/plans",
           "@app:name('P') define stream S (a int); from S select a insert into T;", "text/plain")
          ->status,
      201);
  // Results reach a subscriber that reads all of them, from the first on.
  std::atomic<uint64_t> received{0};
  std::atomic<bool> cut{false};
  std::thread reader([&] {
    HttpClient client;
    HttpClientRequest request;
    request.url = base + "/v1/streams/T/subscribe?from=oldest";
    auto ended = client.get_lines(request, [&](std::string_view line) {
      received += line.starts_with("data: ");
      return true;
    });
    cut = !ended.ok();
  });
  std::atomic<uint64_t> acknowledged{0};
  std::vector<std::thread> senders;
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([&] { send_until_refused(base + "/v1/streams/S/events", acknowledged); });
  }
  ASSERT_TRUE(becomes_true([&] { return acknowledged > 3000; }));
  ShellResult run = end(child);
  for (std::thread& sender : senders) sender.join();
  reader.join();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_NE(read("log").find("polluxd stopped"), std::string::npos);
  EXPECT_EQ(read("log").find("not all events"), std::string::npos) << read("log");
  EXPECT_FALSE(cut) << "a subscription ends as an answer does";
  // A sender may miss the answer to its last batch, never the other way round.
  EXPECT_GE(received, acknowledged.load());
  EXPECT_LE(received, acknowledged + 4 * 3);
  EXPECT_FALSE(call("GET", base + "/livez").ok());
}

TEST_F(StopTest, ASecondSignalDoesNotWaitForASinkThatIsDown) {
  pid_t child = start_polluxd("POLLUX__SHUTDOWN__DRAIN_TIMEOUT='60 s'");
  std::string base = base_url();
  const char* plan =
      "@app:name('P') define stream S (a int);"
      "@sink(type='http', url='http://127.0.0.1:1/', on.error='wait') define stream T (a int);"
      "from S select a insert into T;";
  ASSERT_EQ(call("POST", base + "/v1/plans", plan, "text/plain")->status, 201);
  ASSERT_EQ(call("POST", base + "/v1/streams/S/events", R"({"a": 1})")->status, 200);
  ::kill(child, SIGTERM);
  ASSERT_TRUE(logged("a second signal ends it at once"));
  // Blocked until the line is written, it takes hold in any case.
  ShellResult run = end(child);
  EXPECT_NE(run.exit_code, 0);
  EXPECT_EQ(read("log").find("polluxd stopped"), std::string::npos) << "it did not wait";
}

}  // namespace
}  // namespace pollux
