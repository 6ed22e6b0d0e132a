// Clients that send every event to both nodes of a pair: each event counts once, whichever node
// lives.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/pair/pair_testing.h"

namespace pollux {
namespace {

class DuplicatedStreamsTest : public PairProcessTest {
 protected:
  static constexpr const char* kCounted = "POLLUX__PAIR__DUPLICATED_STREAMS=Logins";
  static constexpr const char* kNamed = "POLLUX__PAIR__DUPLICATED_STREAMS=Logins:user";

  /// What a client sends: the n-th batch, from 0 on; a producer's name makes it numbered.
  struct Client {
    std::string producer;
    std::function<std::string(int)> body;
    int batches = 0;
  };

  static std::string of_one_user(int /*batch*/) { return R"({"user":"ann","n":1})"; }
  static std::string of_its_own(int batch) {
    return R"({"user":")" + std::to_string(batch) + R"(","n":1})";
  }

  /// Sends each batch to one node until it is acknowledged there, wherever that listens by then. As
  /// long as both live, each batch goes to both at the same time.
  void send_all(const Client& client, const Member& member, std::atomic<int>& acknowledged) {
    HttpClient http;
    const size_t me = &member == &a() ? 0 : 1;
    for (int batch = 0; batch < client.batches;) {
      wait_for_other(me, batch);
      HttpClientRequest request;
      request.method = "POST";
      request.url = url_of(member) + "/v1/streams/Logins/events";
      request.headers = {{"Content-Type", "application/json"}};
      if (!client.producer.empty()) {
        request.headers.push_back({"Pollux-Producer", client.producer});
        request.headers.push_back({"Pollux-Sequence", std::to_string(batch + 1)});
      }
      const std::string body = client.body(batch);
      request.body = body;
      auto answer = http.request(request);
      if (answer.ok() && answer->status == 200) {
        acknowledged = ++batch;
      } else if (stopped_) {
        return;
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  }

  /// Both begin the batch, unless the nodes have been taken apart, or the test ends.
  void wait_for_other(size_t me, int batch) {
    std::unique_lock lock(pace_);
    begun_[me] = batch;
    paced_.notify_all();
    paced_.wait(lock, [&] { return begun_[1 - me] >= batch || apart_ || stopped_; });
  }
  void let_go(std::atomic<bool>& flag) {
    std::lock_guard lock(pace_);
    flag = true;
    paced_.notify_all();
  }

  std::string url_of(const Member& member) {
    std::lock_guard lock(mutex_);
    return member.url;
  }
  void restart(Member& member, const std::string& variables) {
    std::lock_guard lock(mutex_);
    start_member(member, variables);
  }
  uint64_t metric(const Member& member, const std::string& name) {
    const std::string all = get(member.url + "/metrics");
    const std::string key = "\npollux_pair_" + name + " ";
    size_t at = all.find(key);
    return at == std::string::npos ? 0 : std::stoull(all.substr(at + key.size()));
  }
  /// All sums that came out, added up.
  std::string total_of(const Member& member) {
    return shell("curl -sf " + member.url + "/v1/query -d 'from Counted select sum(n) as total'")
        .out;
  }
  bool total_becomes(const Member& member, int total) {
    return becomes_true([&] {
      return total_of(member).find("[" + std::to_string(total) + "]") != std::string::npos ||
             total_of(member).find(":" + std::to_string(total) + "}") != std::string::npos;
    });
  }
  void deploy_counter(const Member& member) {
    deploy(member,
           "@app:name('Sums') define stream Logins (user string, n int);"
           "define table Counted (n long);"
           "from Logins select sum(n) as total insert into Totals;"
           "from Logins select convert(n, 'long') as n insert into Counted;");
    EXPECT_TRUE(becomes_true(
        [&] { return get(other(member).url + "/v1/plans").find("Sums") != std::string::npos; }));
  }

  /// Two clients to both nodes, of which the active is killed when half is through, and comes back.
  void lose_the_active(const Client& client, const std::string& variables) {
    Member& first = start_pair(variables);
    deploy_counter(first);
    Member& second = other(first);
    std::atomic<int> at_first = 0;
    std::atomic<int> at_second = 0;
    std::thread to_first([&] { send_all(client, first, at_first); });
    std::thread to_second([&] { send_all(client, second, at_second); });
    EXPECT_TRUE(becomes_true([&] { return at_first > client.batches / 2; }));
    EXPECT_TRUE(becomes_true([&] { return metric(second, "orders_filled_total") > 0; }));
    kill_member(first);
    let_go(apart_);
    EXPECT_TRUE(becomes_true([&] { return is_ready(second); })) << read(second.log);
    restart(first, variables);
    EXPECT_TRUE(becomes_true([&] {
      return at_first == client.batches && at_second == client.batches;
    })) << at_first
        << " and " << at_second << read(first.log) << read(second.log);
    let_go(stopped_);
    to_first.join();
    to_second.join();
    EXPECT_TRUE(total_becomes(second, client.batches)) << total_of(second);
    const std::string all = results(second, "Totals", client.batches);
    EXPECT_NE(all.find("\"total\":" + std::to_string(client.batches) + "}"), std::string::npos);
    EXPECT_EQ(all.find("\"total\":" + std::to_string(client.batches + 1)), std::string::npos);
  }

  std::mutex mutex_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> apart_ = false;
  std::mutex pace_;
  std::condition_variable paced_;
  int begun_[2] = {-1, -1};  // guarded by pace_
};

TEST_F(DuplicatedStreamsTest, EventsOfEqualValuesCountOnceEachWhenTheActiveIsKilled) {
  lose_the_active({"", of_one_user, 150}, kCounted);
}

TEST_F(DuplicatedStreamsTest, NumberedBatchesCountOnceEachWhenTheActiveIsKilled) {
  lose_the_active({"shop", of_one_user, 150}, kCounted);
}

TEST_F(DuplicatedStreamsTest, NamedEventsCountOnceEachWhenTheActiveIsKilled) {
  lose_the_active({"", of_its_own, 150}, kNamed);
}

TEST_F(DuplicatedStreamsTest, TheOrderTakesFewBytesAndLostCopiesAreMadeUpFor) {
  Member& active = start_pair(kCounted);
  deploy_counter(active);
  Member& passive = other(active);
  const uint64_t before = metric(active, "sent_bytes_total");
  auto large = [](int batch) {
    return R"({"user":")" + std::string(10'000, 'x') + std::to_string(batch) + R"(","n":1})";
  };
  std::atomic<int> at_active = 0;
  std::atomic<int> at_passive = 0;
  const Client client{"", large, 50};
  std::thread to_active([&] { send_all(client, active, at_active); });
  std::thread to_passive([&] { send_all(client, passive, at_passive); });
  EXPECT_TRUE(becomes_true([&] { return at_active == 50 && at_passive == 50; }));
  let_go(stopped_);
  to_active.join();
  to_passive.join();
  EXPECT_TRUE(total_becomes(active, 50)) << total_of(active);
  if (metric(passive, "orders_asked_total") == 0) {
    EXPECT_LT(metric(active, "sent_bytes_total") - before, 250'000U) << "of 500,000 of events";
  }
  // A copy that comes to the active alone is sent in full, one that comes to the passive alone is
  // handed over.
  ASSERT_EQ(send(active, R"({"user":"to the active","n":1})"), 200);
  EXPECT_GT(metric(passive, "orders_asked_total"), 0U);
  ASSERT_EQ(send(passive, R"({"user":"to the passive","n":1})"), 200);
  EXPECT_EQ(metric(passive, "copies_forwarded_total"), 1U);
  EXPECT_TRUE(total_becomes(active, 52)) << total_of(active);
  // The copies come after all, and change nothing.
  ASSERT_EQ(send(active, R"({"user":"to the passive","n":1})"), 200);
  ASSERT_EQ(send(passive, R"({"user":"to the active","n":1})"), 200);
  ASSERT_EQ(send(active, R"({"user":"another","n":1})"), 200);
  EXPECT_TRUE(total_becomes(active, 53)) << total_of(active);
  EXPECT_EQ(metric(passive, "copies_held"), 0U);
  EXPECT_EQ(metric(passive, "orders_waiting"), 0U);
}

TEST_F(DuplicatedStreamsTest, NodesWhoseSettingsDifferLoseAndDoubleNothing) {
  start_member(a(), kCounted);
  start_member(b(), "POLLUX__PAIR__DUPLICATED_STREAMS=Logins:user");
  Member& active = wait_for_pair();
  deploy_counter(active);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(send(active, of_its_own(i)), 200);
    ASSERT_EQ(send(other(active), of_its_own(i)), 200);
  }
  EXPECT_TRUE(total_becomes(active, 10)) << total_of(active);
  EXPECT_EQ(metric(active, "orders_sent_total"), 0U);
}

TEST_F(DuplicatedStreamsTest, ACopyAtANodeThatStopsIsNeverRefused) {
  Member& active = start_pair(kCounted);
  deploy_counter(active);
  Member& passive = other(active);
  const std::string url = passive.url + "/v1/streams/Logins/events";
  pid_t waiting = start("exec curl -s -d '" + of_one_user(0) +
                        "' -H 'Content-Type: application/json' " + url + " > answer");
  ASSERT_TRUE(becomes_true([&] { return metric(passive, "copies_held") == 1; }));
  end(passive.process, SIGTERM);
  finish(waiting);
  const std::string answer = read("answer");
  EXPECT_TRUE(answer.find("\"accepted\":1") != std::string::npos ||
              answer.find("the outcome is unknown, send again") != std::string::npos)
      << answer;
  ASSERT_EQ(send(active, of_one_user(0)), 200);
  EXPECT_TRUE(total_becomes(active, 1)) << total_of(active);
}

}  // namespace
}  // namespace pollux
