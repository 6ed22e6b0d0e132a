// GET /v1/streams/{stream}/subscribe: where it begins, how it resumes, and how it ends.

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "server/api/api.h"
#include "tests/server/api/api_testing.h"
#include "tests/server/http/http_testing.h"

namespace pollux {
namespace {

struct SseEvent {
  std::string id;
  std::string name;
  std::string data;
};

/// Listens on a thread of its own until it is destroyed or the server ends.
class Subscriber {
 public:
  explicit Subscriber(std::string url, std::vector<HttpParameter> headers = {})
      : thread_([this, url = std::move(url), headers = std::move(headers)] { run(url, headers); }) {
    EXPECT_TRUE(becomes_true([this] { return begun_ || ended_; }));
  }
  ~Subscriber() {
    stop_ = true;
    thread_.join();
  }

  std::vector<SseEvent> events() const {
    std::lock_guard lock(mutex_);
    return events_;
  }
  /// Waits for so many events.
  std::vector<SseEvent> events(size_t count) const {
    EXPECT_TRUE(becomes_true([&] { return events().size() >= count; })) << events().size();
    return events();
  }
  bool ended() const { return ended_; }
  int status() const { return status_; }

 private:
  void run(const std::string& url, const std::vector<HttpParameter>& headers) {
    HttpClientRequest request;
    request.url = url;
    request.headers = headers;
    request.should_stop = [this] { return stop_.load(); };
    HttpClient client;
    SseEvent event;
    auto ended = client.get_lines(request, [&](std::string_view line) {
      begun_ = true;
      if (line.starts_with("id: ")) event.id = line.substr(4);
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: ")) event.data = line.substr(6);
      if (line.empty() && !event.data.empty()) {
        std::lock_guard lock(mutex_);
        events_.push_back(std::exchange(event, {}));
      }
      return !stop_;
    });
    if (ended.ok()) status_ = ended->status;
    ended_ = true;
  }

  mutable std::mutex mutex_;
  std::vector<SseEvent> events_;
  std::atomic<bool> begun_{false}, ended_{false}, stop_{false};
  std::atomic<int> status_{0};
  std::thread thread_;
};

class SubscribeApiTest : public ApiTest {
 protected:
  static constexpr const char* kPath = "/v1/streams/Seen/subscribe";

  void SetUp() override {
    ApiTest::SetUp();
    deploy_logins();
  }
  /// Sends so many events, with users numbered from `first` on.
  void send_users(int first, int count) {
    json events = json::array();
    for (int i = first; i < first + count; ++i) events.push_back(login(std::to_string(i), i));
    Answer answer = send(events.dump());
    ASSERT_EQ(answer.status, 200) << answer.text;
  }
  void wait_for_results(uint64_t count) {
    auto log = node_->node().find_results("Seen");
    ASSERT_TRUE(becomes_true([&] { return log->rows() >= count; })) << log->rows();
  }
  static int user_of(const SseEvent& event) {
    json data = json::parse(event.data);
    EXPECT_EQ(data["id"], event.id);
    return data["data"]["tries"];
  }
  int64_t open_streams() {
    std::string text = get("/metrics").text;
    size_t at = text.find("\npollux_http_streams ");
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + 21));
  }
  /// Results of about 1 KiB each, so that a log of the smallest size forgets soon.
  void send_large(int count) {
    json events = json::array();
    for (int i = 0; i < count; ++i) events.push_back(login(std::string(1000, 'x'), i));
    Answer answer;
    ASSERT_TRUE(ApiTest::becomes_true([&] {
      answer = send(events.dump());
      return answer.status != 429;
    }));
    ASSERT_EQ(answer.status, 200) << answer.text;
  }
};

TEST_F(SubscribeApiTest, OnlyNewResultsUnlessAskedFromTheOldest) {
  send_users(0, 3);
  wait_for_results(3);
  Subscriber fresh(url(kPath));
  Subscriber oldest(url(std::string(kPath) + "?from=oldest"));
  send_users(3, 2);
  auto all = oldest.events(5);
  auto news = fresh.events(2);
  ASSERT_EQ(all.size(), 5);
  ASSERT_EQ(news.size(), 2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(user_of(all[static_cast<size_t>(i)]), i);
  EXPECT_EQ(user_of(news[0]), 3);
  json data = json::parse(news[0].data);
  EXPECT_EQ(data["stream"], "Seen");
  EXPECT_EQ(data["data"], json({{"user", "3"}, {"tries", 3}}));
  EXPECT_GT(data["timestamp"], 1'600'000'000'000);
  EXPECT_EQ(data["id"], "-1234/Logins/1.3.0");
}

TEST_F(SubscribeApiTest, ResumingAnywhereLosesNothingAndRepeatsNothing) {
  constexpr int kEvents = 3000;
  std::thread sender([&] {
    HttpClient client;
    for (int i = 0; i < kEvents; i += 3) {
      std::string body = json({login("u", i), login("u", i + 1), login("u", i + 2)}).dump();
      HttpClientRequest request;
      request.method = "POST";
      request.url = url("/v1/streams/Logins/events");
      request.headers = {{"Content-Type", "application/json"}};
      request.body = body;
      auto response = client.request(request);
      EXPECT_TRUE(response.ok() && response->status == 200);
    }
  });
  std::vector<int> got;
  std::string last;
  for (size_t take = 1; got.size() < kEvents; take = take * 3 % 101 + 1) {
    std::vector<HttpParameter> headers;
    std::string path = std::string(kPath) + "?from=oldest";
    if (!last.empty() && take % 2 == 0) headers = {{"Last-Event-ID", last}};
    if (!last.empty() && take % 2 == 1) path = std::string(kPath) + "?after=" + last;
    Subscriber subscriber(url(path), headers);
    size_t wanted = std::min(take, kEvents - got.size());
    auto events = subscriber.events(wanted);
    ASSERT_GE(events.size(), wanted);
    // What was received behind those is dropped, as by a client that dies.
    for (size_t i = 0; i < wanted; ++i) got.push_back(user_of(events[i]));
    last = events[wanted - 1].id;
  }
  sender.join();
  ASSERT_EQ(got.size(), kEvents);
  for (int i = 0; i < kEvents; ++i) ASSERT_EQ(got[static_cast<size_t>(i)], i);
}

TEST_F(SubscribeApiTest, UnknownStreamsAndIdsAreErrors) {
  Answer answer = get("/v1/streams/Nobody/subscribe");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.code(), "unknown_stream");
  EXPECT_EQ(get("/v1/streams/Logins/subscribe").status, 404) << "an input has no results";
  send_users(0, 1);
  wait_for_results(1);
  for (const char* id : {"x", "-1234/Logins/1.2.1", "-1234/Other/1.2.0", "-1234/Logins/0.2.0",
                         "-1234/Logins/1.99999999999999999999.0"}) {
    answer = call("GET", kPath, {}, {{"Last-Event-ID", id}});
    EXPECT_EQ(answer.status, 410) << id;
    EXPECT_EQ(answer.code(), "forgotten");
    EXPECT_NE(answer.text.find("the oldest held is -1234/Logins/1.2.0"), std::string::npos)
        << answer.text;
  }
}

TEST_F(SubscribeApiTest, AnIdThatIsNoLongerHeldIsGone) {
  start({"POLLUX__RESULTS__LOG_BYTES_MAX=64 KiB"});
  deploy_logins();
  send_users(0, 1);
  wait_for_results(1);
  auto log = node_->node().find_results("Seen");
  uint64_t oldest = log->begin();
  std::string first = result_id(*log->read(oldest, 1).slices.at(0), 0);
  while (log->begin() == oldest) send_large(20);
  Answer answer = call("GET", kPath, {}, {{"Last-Event-ID", first}});
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.code(), "forgotten");
}

TEST_F(SubscribeApiTest, ASlowReaderIsToldThatItMissedSomethingAndEnded) {
  start({"POLLUX__RESULTS__LOG_BYTES_MAX=64 KiB"});
  deploy_logins();
  RawClient slow(node_->http_port(), 4096);
  slow.send(pollux::get(kPath));
  ASSERT_NE(slow.read_to("results of Seen"), "");
  Subscriber quick(url(kPath));
  auto log = node_->node().find_results("Seen");
  // More than the kernel, the connection and the log hold together.
  for (int i = 0; i < 40; ++i) send_large(200);
  wait_for_results(8000);
  std::string rest = slow.read_to_end();
  EXPECT_NE(rest.find("event: forgotten"), std::string::npos) << rest.size();
  EXPECT_LT(rest.size(), size_t{8000} * 1000);
  EXPECT_TRUE(rest.ends_with("0\r\n\r\n")) << "ended as an answer, not cut";
}

TEST_F(SubscribeApiTest, ClientsThatDisappearAreForgotten) {
  for (int round = 0; round < 20; ++round) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 5; ++i) {
      clients.emplace_back(node_->http_port());
      clients.back().send(pollux::get(kPath));
      if (i % 2 == 0) {
        ASSERT_NE(clients.back().read_to("results of Seen"), "");
      }
    }
    send_users(round, 1);
  }
  EXPECT_TRUE(becomes_true([&] { return open_streams() == 0; })) << open_streams();
  send_users(100, 1);
  wait_for_results(21);
}

TEST_F(SubscribeApiTest, HeadAnswersAndOpensNothing) {
  EXPECT_EQ(call("HEAD", kPath).status, 200);
  EXPECT_TRUE(becomes_true([&] { return open_streams() == 0; }));
  send_users(0, 1);
  wait_for_results(1);
}

TEST_F(SubscribeApiTest, AQuietStreamIsKeptAlive) {
  ApiLimits limits;
  limits.heartbeat = std::chrono::milliseconds(5);
  ApiParts parts{node_->node(),
                 node_->node().intake(),
                 node_->stores(),
                 node_->sinks(),
                 node_->receivers(),
                 nullptr,
                 nullptr,
                 *log_,
                 limits,
                 "",
                 {}};
  auto server = HttpServer::start({}, make_api(parts));
  ASSERT_TRUE(server.ok()) << server.status();
  RawClient client((*server)->port());
  client.send(pollux::get(kPath));
  for (int beat = 0; beat < 3; ++beat) ASSERT_NE(client.read_to(": alive\n\n"), "");
  client.close();
  EXPECT_TRUE(becomes_true([&] { return (*server)->counters().streams_open == 0; }));
}

TEST_F(SubscribeApiTest, SubscribersEndWithTheNode) {
  Subscriber subscriber(url(kPath));
  send_users(0, 2);
  subscriber.events(2);
  node_->stop(std::chrono::seconds(20));
  EXPECT_TRUE(becomes_true([&] { return subscriber.ended(); }));
  EXPECT_EQ(subscriber.status(), 200) << "ended as an answer, not cut";
}

TEST_F(SubscribeApiTest, SubscribersEndWithTheLastPlanOfTheirStream) {
  Subscriber subscriber(url(kPath));
  send_users(0, 2);
  subscriber.events(2);
  EXPECT_EQ(deploy(kLogins, "?replace=true").status, 201);
  send_users(2, 1);
  EXPECT_EQ(subscriber.events(3).back().name, "") << "the plan that follows writes on";
  EXPECT_EQ(call("DELETE", "/v1/plans/Logins").status, 200);
  EXPECT_EQ(subscriber.events(4).back().name, "ended");
  EXPECT_TRUE(becomes_true([&] { return subscriber.ended(); }));
}

TEST_F(SubscribeApiTest, ManyReadersWhilePlansComeAndGo) {
  std::atomic<bool> stop{false};
  std::thread deployer([&] {
    HttpClient client;
    for (int i = 0; !stop; ++i) {
      HttpClientRequest request;
      request.method = i % 3 == 2 ? "DELETE" : "POST";
      request.url = url(i % 3 == 2 ? "/v1/plans/Logins" : "/v1/plans?replace=true");
      request.body = i % 3 == 2 ? std::string_view() : kLogins;
      auto response = client.request(request);
      EXPECT_TRUE(response.ok());
    }
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        RawClient client(node_->http_port());
        client.send(pollux::get(std::string(kPath) + "?from=oldest"));
        client.read_bytes(200);
      }
    });
  }
  for (int i = 0; i < 500; ++i) send(login("a", i).dump());
  stop = true;
  deployer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(becomes_true([&] { return open_streams() == 0; }));
}

TEST_F(SubscribeApiTest, ASubscriberGoesOnBehindItsLastIdAfterARestart) {
  send(json::array({login("ann"), login("bob"), login("eve")}).dump());
  std::string second;
  {
    Subscriber subscriber(url("/v1/streams/Seen/subscribe?from=oldest"));
    second = subscriber.events(3)[1].id;
  }
  restart();
  Subscriber subscriber(url("/v1/streams/Seen/subscribe"), {{"Last-Event-ID", second}});
  send(json::array({login("joe")}).dump());
  std::vector<SseEvent> events = subscriber.events(2);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_NE(events[0].data.find("eve"), std::string::npos) << events[0].data;
  EXPECT_NE(events[1].data.find("joe"), std::string::npos) << events[1].data;
}

}  // namespace
}  // namespace pollux
