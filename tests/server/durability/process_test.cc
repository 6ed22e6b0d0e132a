// polluxd itself, on a disk that is full and with entries that it dies of; and what its journal
// says.
#include <sys/mount.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

class ProcessTest : public DaemonTest {
 protected:
  void deploy(const std::string& text, const std::string& query = "") {
    auto answer = call("POST", base_url() + "/v1/plans" + query, text, "text/plain");
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_LE(answer->status, 201) << answer->body;
  }
  int send(const std::string& body) {
    auto answer = call("POST", base_url() + "/v1/streams/Logins/events", body);
    return answer.ok() ? answer->status : 0;
  }
  int64_t metric(const std::string& name) {
    std::string all = "\n" + get(base_url() + "/metrics");
    size_t at = all.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stoll(all.substr(at + name.size() + 2));
  }
  /// A start behind another one.
  pid_t start_anew(const std::string& variables = "") {
    std::filesystem::remove(path("log"));
    return start_polluxd(variables);
  }
};

constexpr const char* kSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;";

class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=24m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  const std::string path_;
  bool mounted_ = false;
};

TEST_F(ProcessTest, AFullDiskRefusesEventsUntilThereIsRoomAndLosesNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root can mount a small disk";
  SmallDisk disk(path("small"));
  if (!disk.mounted()) GTEST_SKIP() << "NOT TESTED: no disk can be mounted here";
  pid_t child = start_polluxd("POLLUX__DATA_DIR=small");
  deploy(kSums);
  ASSERT_EQ(send(R"({"user":"ann","n":1})"), 200);
  shell("dd if=/dev/zero of=small/filler bs=4k 2> dd.log");
  // The last events find what is left of a page; then there is no room.
  int taken = 0;
  std::thread waits([&, url = base_url() + "/v1/streams/Logins/events"] {
    HttpClientRequest request;
    request.method = "POST";
    request.url = url;
    request.headers = {{"Content-Type", "application/json"}};
    const std::string large = R"({"user":")" + std::string(8000, 'x') + R"(","n":1})";
    request.body = large;
    HttpClient client;
    auto answer = client.request(request);
    taken = answer.ok() ? answer->status : 0;
  });
  EXPECT_TRUE(becomes_true([&] { return metric("pollux_journal_full") == 1; }));
  EXPECT_EQ(send(R"({"user":"ann","n":2})"), 429);
  EXPECT_NE(get(base_url() + "/v1/node").find(R"("state":"full")"), std::string::npos);
  EXPECT_NE(read("log").find("the journal has no room"), std::string::npos);
  std::filesystem::remove(path("small/filler"));
  waits.join();
  EXPECT_TRUE(becomes_true([&] { return metric("pollux_journal_full") == 0; }));
  EXPECT_EQ(taken, 200) << "what waited is acknowledged";
  EXPECT_EQ(send(R"({"user":"ann","n":4})"), 200);
  EXPECT_GE(metric("pollux_commit_seconds_count"), 3) << "the plan and two events";
  end(child, SIGKILL);
  child = start_anew("POLLUX__DATA_DIR=small");
  EXPECT_EQ(send(R"({"user":"ann","n":8})"), 200);
  ShellResult tail = shell("pollux tail Totals --from oldest --limit 4 --server " + base_url());
  EXPECT_NE(tail.out.find(R"("total":13)"), std::string::npos) << tail.out;
  end(child);
}

TEST_F(ProcessTest, AnEntryThatTwoProcessesDiedOfSuspendsItsPlanVisibly) {
  std::filesystem::create_directory(path("extensions"));
  std::filesystem::copy(POLLUX_DEADLY_EXTENSION, path("extensions/deadly.so"));
  const std::string variables = "POLLUX__EXTENSIONS_DIR=extensions";
  pid_t child = start_polluxd(variables);
  deploy(
      "@app:name('Risky') define stream Logins (user string, n int);"
      "from Logins select user, deadly:die(n) as n insert into Risks;");
  deploy(kSums);
  ASSERT_EQ(send(R"([{"user":"ann","n":1}, {"user":"ann","n":2}])"), 200);
  send(R"({"user":"ann","n":666})");  // perhaps acknowledged before it is applied
  EXPECT_NE(end(child, 0).exit_code, 0);
  EXPECT_NE(end(start_anew(variables), 0).exit_code, 0) << "it dies in the replay";
  start_anew(variables);
  EXPECT_EQ(get(base_url() + "/readyz"), "ok\n");
  EXPECT_EQ(metric("pollux_recovery_poisoned_plans"), 1);
  EXPECT_TRUE(logged("processes died while a plan was at an entry"));
  EXPECT_TRUE(logged("a plan failed and is suspended"));
  EXPECT_NE(get(base_url() + "/v1/plans/Risky").find("processes died while they applied entry"),
            std::string::npos)
      << get(base_url() + "/v1/plans/Risky");
  EXPECT_EQ(send(R"({"user":"ann","n":1})"), 200);
  ShellResult tail = shell("pollux tail Totals --from oldest --limit 4 --server " + base_url());
  EXPECT_NE(tail.out.find(R"("total":670)"), std::string::npos) << tail.out;
}

TEST_F(ProcessTest, APlanThatCannotBeBuiltStopsTheStartUnlessItIsOrderedAway) {
  std::filesystem::create_directory(path("extensions"));
  std::filesystem::copy(POLLUX_DEADLY_EXTENSION, path("extensions/deadly.so"));
  const std::string variables = "POLLUX__EXTENSIONS_DIR=extensions";
  pid_t child = start_polluxd(variables);
  deploy(kSums);
  deploy(
      "@app:name('Risky') define stream Logins (user string, n int);"
      "from Logins select user, sum(deadly:die(n)) as n insert into Risks;");
  ASSERT_EQ(send(R"({"user":"ann","n":1})"), 200);
  for (bool with_state : {false, true}) {
    end(child, with_state ? SIGTERM : SIGKILL);
    std::string refused = failing_polluxd("");
    EXPECT_NE(refused.find("plan 'Risky' cannot be built"), std::string::npos) << refused;
    EXPECT_NE(refused.find("deadly:die"), std::string::npos) << refused;
    EXPECT_NE(refused.find("--forget-plan Risky"), std::string::npos) << refused;
    child = start_anew(variables);
    ASSERT_EQ(send(R"({"user":"ann","n":1})"), 200);
  }
  ShellResult tail = shell("pollux tail Risks --from oldest --limit 3 --server " + base_url());
  EXPECT_NE(tail.out.find(R"("n":3)"), std::string::npos) << "its state was kept: " << tail.out;
  end(child, SIGKILL);
  std::filesystem::remove(path("log"));
  child = start_polluxd("", "log", "--forget-plan Risky");
  EXPECT_TRUE(logged("a plan cannot be built and is forgotten, as ordered"));
  ASSERT_EQ(send(R"({"user":"ann","n":1})"), 200);
  tail = shell("pollux tail Totals --from oldest --limit 4 --server " + base_url());
  EXPECT_NE(tail.out.find(R"("total":4)"), std::string::npos) << tail.out;
  EXPECT_EQ(end(child, SIGTERM).exit_code, 0);
  start_anew();
  EXPECT_EQ(get(base_url() + "/v1/plans").find("Risky"), std::string::npos);
}

TEST_F(ProcessTest,
       AnExportOfTheJournalGivesWhatTheServerGaveOverReplacedSuspendedAndRemovedPlans) {
  pid_t child = start_polluxd();
  auto send_some = [&] {
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(send(R"([{"user":"ann","n":1}, {"user":"bob","n":)" + std::to_string(i) + "}]"),
                200);
    }
  };
  const std::string other =
      "@app:name('Other') define stream Logins (user string, n int);"
      "from Logins#window.lengthBatch(3) select sum(n) as n insert into Others;";
  deploy(kSums);
  deploy(other);
  // Suspended by an event that it feeds to itself without an end.
  deploy(
      "@app:name('Loops') define stream Logins (user string, n int);"
      "from Logins select user, n insert into Looped; from Logins[n > 100] select * insert into "
      "Logins;");
  send_some();
  ASSERT_EQ(send(R"({"user":"eve","n":101})"), 200);
  EXPECT_TRUE(logged("a plan failed and is suspended"));
  deploy(std::string(kSums) + "from Logins[n > 2] select user insert into Seen;", "?replace=true");
  send_some();
  ASSERT_EQ(call("DELETE", base_url() + "/v1/plans/Other")->status, 200);
  send_some();
  end(child, SIGKILL);
  child = start_anew();
  deploy(other);
  send_some();
  std::map<std::string, std::string> served;
  for (const auto& [stream, rows] :
       {std::pair("Totals", 41), {"Seen", 6}, {"Others", 10}, {"Looped", 10}}) {
    ShellResult tail = shell("pollux tail " + std::string(stream) + " --from oldest --limit " +
                             std::to_string(rows) + " --server " + base_url());
    served[stream] = tail.out;
  }
  end(child, SIGKILL);
  ShellResult run = shell("set -o pipefail; pollux journal export data | pollux run --entries -");
  EXPECT_EQ(run.exit_code, 4) << "since a plan failed";
  EXPECT_NE(run.err.find("plan Loops failed and is suspended"), std::string::npos) << run.err;
  std::map<std::string, std::string> replayed;
  for (const std::string& line : lines_of(run.out)) {
    for (const auto& [stream, rows] : served) {
      if (line.find("\"stream\":\"" + stream + "\"") == std::string::npos) continue;
      replayed[stream] += line + "\n";
    }
  }
  for (const auto& [stream, rows] : served) {
    EXPECT_FALSE(rows.empty()) << stream;
    EXPECT_EQ(replayed[stream], rows) << stream;
  }
}

}  // namespace
}  // namespace pollux
