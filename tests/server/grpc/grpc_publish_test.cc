#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/server/grpc/grpc_testing.h"
#include "tests/server/grpc/memory_intake.h"

namespace pollux {
namespace {

class GrpcPublish : public testing::Test {
 protected:
  void start(const GrpcLimits& limits = {}) { server_ = started(intake_, logs_, limits); }

  MemoryIntake intake_{login_stream()};
  LogsByName logs_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcPublish, AcksCarryEpochAndPositionInTheOrderOfTheRequests) {
  start();
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes, {.producer = "p"});
  constexpr uint32_t kBatches = 500;
  for (uint32_t i = 0; i < kBatches; ++i) {
    ASSERT_TRUE(client->send(*logins(1 + i % 7, i), i + 1).ok());
  }
  ASSERT_TRUE(client->close().ok());
  auto all = outcomes.all();
  ASSERT_EQ(all.size(), kBatches);
  uint64_t events = 0;
  for (uint32_t i = 0; i < kBatches; ++i) {
    ASSERT_TRUE(all[i].status.ok()) << all[i].status;
    EXPECT_EQ(all[i].number, i + 1);
    EXPECT_EQ(all[i].id, (EntryId{Epoch{3}, Position{i + 1}}));
    EXPECT_EQ(all[i].events, 1 + i % 7);
    EXPECT_FALSE(all[i].duplicate);
    events += all[i].events;
  }
  auto entries = intake_.entries();
  ASSERT_EQ(entries.size(), kBatches);
  EXPECT_EQ(entries[400].batch->value(0, 0), logins(1, 400)->value(0, 0));
  EXPECT_EQ(server_->counters().events_accepted, events);
  EXPECT_EQ(server_->counters().requests, kBatches);
  EXPECT_TRUE(eventually([&] { return server_->counters().streams_open == 0; }));
  EXPECT_EQ(server_->counters().bytes_in_flight, 0u);
}

TEST_F(GrpcPublish, ANumberSeenBeforeIsADuplicateAndALeftOutOneIsTold) {
  start();
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes, {.producer = "p"});
  for (uint64_t number : {1, 2, 1, 5, 3}) ASSERT_TRUE(client->send(*logins(2), number).ok());
  ASSERT_TRUE(client->close().ok());
  auto all = outcomes.all();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_TRUE(all[2].duplicate);
  EXPECT_EQ(all[2].id, all[0].id);
  EXPECT_EQ(all[3].status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(all[3].expected_number, 3u);
  EXPECT_TRUE(all[4].status.ok()) << all[4].status;
  EXPECT_EQ(intake_.entries().size(), 3u);
}

TEST_F(GrpcPublish, AMessageThatIsTooLargeEndsTheStreamAndSaysSo) {
  start({.message_bytes_max = 10'000});
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes);
  ASSERT_TRUE(client->send(*logins(10), 0).ok());
  ASSERT_TRUE(client->flush().ok());
  (void)client->send(*logins(1000), 0);
  absl::Status ended = client->close();
  EXPECT_EQ(ended.code(), absl::StatusCode::kResourceExhausted) << ended;
  EXPECT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(intake_.entries().size(), 1u);
}

TEST_F(GrpcPublish, TooManyUnansweredRequestsStopTheReading) {
  start({.requests_in_flight_max = 8});
  intake_.hold();
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes, {.producer = "p", .batches_in_flight_max = 100});
  std::thread sender([&] {
    for (uint64_t i = 1; i <= 50; ++i) EXPECT_TRUE(client->send(*logins(1), i).ok());
  });
  EXPECT_TRUE(eventually([&] { return intake_.queued() == 8; }));
  EXPECT_EQ(server_->counters().requests, 8u);
  intake_.let_go();
  sender.join();
  ASSERT_TRUE(client->close().ok());
  EXPECT_EQ(intake_.entries().size(), 50u);
  EXPECT_EQ(outcomes.size(), 50u);
}

TEST_F(GrpcPublish, TheBytesOfAllStreamsAreBoundedAndEachStreamGoesOn) {
  start({.total_bytes_in_flight_max = 1});
  intake_.hold();
  Outcomes outcomes;
  std::vector<std::unique_ptr<PublishClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(publisher(*server_, outcomes));
    for (int j = 0; j < 5; ++j) ASSERT_TRUE(clients.back()->send(*logins(2), 0).ok());
  }
  EXPECT_TRUE(eventually([&] { return intake_.queued() == 3; })) << "one of each stream";
  intake_.let_go();
  for (auto& client : clients) EXPECT_TRUE(client->close().ok());
  EXPECT_EQ(outcomes.size(), 15u);
}

TEST_F(GrpcPublish, TheFirstAnswersComeThoughTheyAreReadyTogether) {
  start();
  for (int i = 0; i < 20; ++i) {
    intake_.hold();
    Outcomes outcomes;
    auto client = publisher(*server_, outcomes);
    for (int j = 0; j < 5; ++j) ASSERT_TRUE(client->send(*logins(2), 0).ok());
    ASSERT_TRUE(eventually([&] { return intake_.queued() == 5; }));
    intake_.let_go();
    ASSERT_TRUE(eventually([&] { return outcomes.size() == 5; })) << outcomes.size();
  }
}

TEST_F(GrpcPublish, AClientThatDisappearsLeavesNothingBehind) {
  start();
  intake_.hold();
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client->send(*logins(10), 0).ok());
  ASSERT_TRUE(eventually([&] { return intake_.queued() == 5; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return server_->counters().streams_open == 0; }));
  intake_.let_go();
  EXPECT_TRUE(eventually([&] { return server_->counters().bytes_in_flight == 0; }));
  EXPECT_EQ(intake_.entries().size(), 5u) << "what was read takes effect";
  EXPECT_EQ(outcomes.size(), 0u);
}

TEST_F(GrpcPublish, AServerThatStopsAnswersWhatIsOnTheWayAndEndsWithUnavailable) {
  start();
  intake_.hold();
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes);
  auto idle = publisher(*server_, outcomes);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client->send(*logins(10), 0).ok());
  ASSERT_TRUE(eventually([&] { return intake_.queued() == 5; }));
  ASSERT_TRUE(eventually([&] { return server_->counters().streams_open == 2; }));
  std::thread stopper([&] { server_->stop(kPatience); });
  EXPECT_TRUE(eventually([&] { return server_->counters().streams_open == 1; }));
  EXPECT_EQ(idle->close().code(), absl::StatusCode::kUnavailable);
  intake_.let_go();
  EXPECT_TRUE(eventually([&] { return server_->counters().streams_open == 0; }));
  absl::Status ended = client->close();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable) << ended;
  // gRPC's client may drop answers that it has not read when the connection ends.
  EXPECT_LE(outcomes.size(), 5u);
  EXPECT_EQ(server_->counters().events_accepted, 50u);
  stopper.join();
}

TEST_F(GrpcPublish, AnIntakeThatNeverAnswersDoesNotHoldUpTheStop) {
  start();
  intake_.hold();
  Outcomes outcomes;
  auto client = publisher(*server_, outcomes);
  ASSERT_TRUE(client->send(*logins(10), 0).ok());
  ASSERT_TRUE(eventually([&] { return intake_.queued() == 1; }));
  server_->stop(std::chrono::milliseconds(50));
  EXPECT_FALSE(client->close().ok());
  server_.reset();
  intake_.let_go();  // the late outcome finds nobody
  EXPECT_TRUE(eventually([&] { return intake_.entries().size() == 1; }));
}

TEST_F(GrpcPublish, TwoHundredStreamsAtOnceAllGetTheirAnswers) {
  start();
  constexpr int kStreams = 200;
  constexpr int kBatches = 5;
  std::vector<Outcomes> outcomes(kStreams);
  std::vector<std::unique_ptr<PublishClient>> clients;
  for (int i = 0; i < kStreams; ++i) {
    clients.push_back(publisher(*server_, outcomes[i], {.producer = "p" + std::to_string(i)}));
  }
  for (int j = 1; j <= kBatches; ++j) {
    for (auto& client : clients) ASSERT_TRUE(client->send(*logins(20), j).ok());
  }
  for (auto& client : clients) EXPECT_TRUE(client->close().ok());
  for (const Outcomes& of_one : outcomes) {
    auto all = of_one.all();
    ASSERT_EQ(all.size(), static_cast<size_t>(kBatches));
    for (int j = 0; j < kBatches; ++j) {
      EXPECT_TRUE(all[j].status.ok()) << all[j].status;
      EXPECT_EQ(all[j].number, static_cast<uint64_t>(j + 1));
    }
  }
  EXPECT_EQ(server_->counters().events_accepted, kStreams * kBatches * 20u);
}

TEST_F(GrpcPublish, StreamsBeyondTheLimitAreRefused) {
  start({.streams_max = 2});
  Outcomes outcomes;
  auto first = publisher(*server_, outcomes);
  auto second = publisher(*server_, outcomes);
  ASSERT_TRUE(eventually([&] { return server_->counters().streams_open == 2; }));
  auto third = publisher(*server_, outcomes);
  absl::Status refused = third->close();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_EQ(server_->counters().streams_refused, 1u);
  ASSERT_TRUE(first->close().ok());
  ASSERT_TRUE(eventually([&] { return server_->counters().streams_open == 1; }));
  auto fourth = publisher(*server_, outcomes);
  EXPECT_TRUE(fourth->send(*logins(1), 0).ok());
  EXPECT_TRUE(fourth->close().ok());
}

TEST_F(GrpcPublish, APortInUseIsAClearError) {
  start();
  auto second =
      GrpcServer::start({.address = "127.0.0.1", .port = server_->port()}, intake_, logs_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().message(),
            "grpc: cannot listen on 127.0.0.1:" + std::to_string(server_->port()) +
                ": Address already in use");
  auto nowhere = GrpcServer::start({.address = "192.0.2.1"}, intake_, logs_);
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.status().message(),
            "grpc: cannot listen on 192.0.2.1:0: Cannot assign requested address");
}

TEST(PublishClientTest, AServerThatIsNotThereIsTold) {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  // Bound but not listening: nobody else can have the port, and nobody answers.
  std::string target = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  auto client = PublishClient::open({.target = target, .connect_timeout_ms = 300}, {});
  ::close(socket);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client.status().message(), "cannot connect to " + target);
}

}  // namespace
}  // namespace pollux
