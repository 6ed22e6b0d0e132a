// The producer and polluxd itself, which is killed or stopped; the journal says what it took.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "server/client/producer.h"
#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

constexpr const char* kPlan =
    "@app:name('Sums') define stream Numbers (n long);"
    "from Numbers select sum(n) as total, count() as times insert into Totals;";
constexpr uint32_t kRows = 5;

class ProducerProcessTest : public DaemonTest {
 protected:
  /// Its gRPC port, with the plan.
  std::string start_with_plan(const std::string& folder, pid_t& child) {
    std::filesystem::create_directory(path(folder));
    child = start_polluxd("POLLUX__DATA_DIR=" + folder, folder + "/log");
    const std::string url = base_url(folder + "/log");
    auto answer = call("POST", url + "/v1/plans", kPlan, "text/plain");
    EXPECT_TRUE(answer.ok() && answer->status / 100 == 2);
    return std::to_string(logged_number("listening for gRPC", "port=", folder + "/log"));
  }
  pid_t start_anew(const std::string& folder, const std::string& grpc_port) {
    std::filesystem::remove(path(folder + "/log"));
    pid_t child = start_polluxd("POLLUX__DATA_DIR=" + folder + " POLLUX__GRPC__PORT=" + grpc_port,
                                folder + "/log");
    EXPECT_TRUE(logged("polluxd started", folder + "/log"));
    return child;
  }

  /// Until it has stopped: what was sent before may else still be taken.
  static void stop(pid_t child) {
    ::kill(child, SIGSTOP);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status));
  }

  /// Batch i has the values i * kRows and on.
  static EventBatchPtr batch(uint64_t i) {
    static const SchemaPtr schema = std::make_shared<const Schema>(
        "Numbers", std::vector<Attribute>{{"n", AttributeType::kLong}});
    auto made = std::make_shared<EventBatch>(schema);
    for (uint64_t row = 0; row < kRows; ++row) {
      made->append_value(0, static_cast<int64_t>(i * kRows + row));
      made->end_row(1'700'000'000'000 + static_cast<int64_t>(i));
    }
    return made;
  }
  std::unique_ptr<Producer> producer(std::vector<std::string> targets) {
    auto producer = Producer::start(
        {.targets = std::move(targets),
         .stream = "Numbers",
         .producer = "p",
         .connect_timeout = milliseconds(1'000),
         .ping_interval = milliseconds(1'000)},
        {.on_acked = [this](auto&) { ++acked_; }, .on_trouble = [this](auto&) { ++troubles_; }});
    EXPECT_TRUE(producer.ok()) << producer.status();
    return *std::move(producer);
  }
  void send(Producer& producer, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; ++i) {
      absl::Status sent = producer.send(batch(i));
      ASSERT_TRUE(sent.ok()) << sent;
    }
  }

  /// The journal has each of the batches once, with its rows; polluxd must have ended.
  void expect_batches(const std::string& folder, uint64_t count) {
    ShellResult exported = shell("pollux journal export " + folder);
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    simdjson::dom::parser parser;
    uint64_t next = 1;
    for (const std::string& line : lines_of(exported.out)) {
      simdjson::dom::element entry = parser.parse(line);
      if (std::string_view(entry["type"]) != "events") continue;
      ASSERT_EQ(std::string_view(entry["producer"]), "p");
      ASSERT_EQ(uint64_t(entry["number"]), next);
      simdjson::dom::array rows = entry["rows"];
      ASSERT_EQ(rows.size(), kRows);
      ASSERT_EQ(uint64_t(rows.at(0).at(1)), (next - 1) * kRows);
      ++next;
    }
    EXPECT_EQ(next - 1, count);
  }

  std::atomic<uint64_t> acked_ = 0;
  std::atomic<uint64_t> troubles_ = 0;
};

TEST_F(ProducerProcessTest, AServerThatIsKilledAgainAndAgainHasEachBatchOnce) {
  constexpr uint64_t kBatches = 400;
  pid_t child = -1;
  const std::string port = start_with_plan("data", child);
  auto sends = producer({"127.0.0.1:" + port});
  std::thread sender([&] { send(*sends, 0, kBatches); });
  for (uint64_t kill = 1; kill <= 3; ++kill) {
    EXPECT_TRUE(becomes_true([&] { return acked_ >= kill * 80; }));
    end(child, SIGKILL);
    child = start_anew("data", port);
  }
  sender.join();
  absl::Status closed = sends->close();
  EXPECT_TRUE(closed.ok()) << closed;
  EXPECT_EQ(acked_, kBatches);
  EXPECT_GE(sends->counters().reconnects, 1u);
  EXPECT_EQ(end(child).exit_code, 0);
  expect_batches("data", kBatches);
}

TEST_F(ProducerProcessTest, AServerThatIsStoppedFromTheStartIsPassedOver) {
  pid_t stopped = -1;
  pid_t works = -1;
  const std::string stopped_port = start_with_plan("a", stopped);
  const std::string port = start_with_plan("b", works);
  stop(stopped);
  auto sends = producer({"127.0.0.1:" + stopped_port, "127.0.0.1:" + port});
  send(*sends, 0, 50);
  absl::Status closed = sends->close();
  EXPECT_TRUE(closed.ok()) << closed;
  ::kill(stopped, SIGCONT);
  EXPECT_EQ(end(stopped).exit_code, 0);
  EXPECT_EQ(end(works).exit_code, 0);
  expect_batches("a", 0);
  expect_batches("b", 50);
}

TEST_F(ProducerProcessTest, AServerThatIsStoppedInTheMiddleGetsTheRestWhenItGoesOn) {
  pid_t child = -1;
  const std::string port = start_with_plan("data", child);
  auto sends = producer({"127.0.0.1:" + port});
  send(*sends, 0, 50);
  ASSERT_TRUE(sends->flush().ok());
  stop(child);
  send(*sends, 50, 100);
  EXPECT_TRUE(becomes_true([&] { return troubles_ > 0; }));
  ::kill(child, SIGCONT);
  absl::Status closed = sends->close();
  EXPECT_TRUE(closed.ok()) << closed;
  EXPECT_EQ(end(child).exit_code, 0);
  expect_batches("data", 100);
}

}  // namespace
}  // namespace pollux
