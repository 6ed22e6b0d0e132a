// Two processes of polluxd that are a pair, on ports that were free a moment ago.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/server/daemon/daemon_testing.h"
#include "tests/support/server_process.h"

namespace pollux {

class PairProcessTest : public DaemonTest {
 protected:
  static constexpr const char* kSums =
      "@app:name('Sums') define stream Logins (user string, n int);"
      "from Logins select user, sum(n) as total group by user insert into Totals;";

  struct Member {
    std::string name{};
    int membership = 0;
    int event_sync = 0;
    int starts = 0;
    pid_t process = 0;
    std::string program = "polluxd";
    std::string log{};  ///< of its last start
    std::string url{};
  };

  void SetUp() override {
    DaemonTest::SetUp();
    std::filesystem::create_directory(path("arbiter"));
    std::vector<int> ports = free_ports(2 * members_.size());
    for (size_t i = 0; i < members_.size(); ++i) {
      members_[i] = {std::string(1, static_cast<char>('a' + i)), ports[2 * i], ports[2 * i + 1]};
    }
  }

  /// Plans go together on both nodes, whatever a test does to them.
  void TearDown() override {
    for (const Member& member : members_) {
      for (int start = 1; start <= member.starts && !plans_differ_; ++start) {
        EXPECT_EQ(read(log_of(member, start)).find("a plan of the other node differs"),
                  std::string::npos)
            << read(log_of(member, start));
      }
    }
    DaemonTest::TearDown();
  }
  void expect_difference() { plans_differ_ = true; }
  /// For both, on the command line.
  void set_options(const std::string& options) { options_ = options; }

  Member& a() { return members_[0]; }
  Member& b() { return members_[1]; }
  Member& other(const Member& member) { return &member == &a() ? b() : a(); }

  void start_member(Member& member, const std::string& variables = "") {
    launch_member(member, variables);
    member.url = base_url(member.log);
  }
  /// Does not wait for it.
  void launch_member(Member& member, const std::string& variables = "") {
    member.log = log_of(member, ++member.starts);
    std::string list;
    for (const Member& each : members_) {
      list += (list.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(each.membership);
    }
    member.process = start_polluxd(
        "POLLUX__DATA_DIR=data." + member.name + " POLLUX__NODE__NAME=" + member.name +
            " POLLUX__PAIR__ENABLED=true POLLUX__PAIR__BIND_ADDRESS=127.0.0.1" +
            " POLLUX__PAIR__MEMBERS=" + list +
            " POLLUX__PAIR__MEMBERSHIP_PORT=" + std::to_string(member.membership) +
            " POLLUX__PAIR__EVENT_SYNC_PORT=" + std::to_string(member.event_sync) +
            " POLLUX__PAIR__SNAPSHOT_PORT=0" + " POLLUX__PAIR__ARBITER=file:" + path("arbiter") +
            " " + variables,
        member.log, options_, member.program);
  }
  bool has_ended(const Member& member) {
    siginfo_t about{};
    EXPECT_EQ(
        ::waitid(P_PID, static_cast<id_t>(member.process), &about, WEXITED | WNOHANG | WNOWAIT), 0);
    return about.si_pid == member.process;
  }
  void kill_member(Member& member) { end(member.process, SIGKILL); }

  /// Both run, one leads and the other holds all that is committed. Who leads.
  Member& start_pair(const std::string& variables = "") {
    start_member(a(), variables);
    start_member(b(), variables);
    return wait_for_pair();
  }
  Member& wait_for_pair() {
    Member* leads = nullptr;
    EXPECT_TRUE(becomes_true([&] {
      for (Member& each : members_) each.url = base_url(each.log);  // another port after a snapshot
      leads = role(a()) == "active-paired" && role(b()) == "passive"   ? &a()
              : role(b()) == "active-paired" && role(a()) == "passive" ? &b()
                                                                       : nullptr;
      return leads != nullptr && is_ready(*leads);
    })) << read(a().log)
        << read(b().log);
    return leads == nullptr ? a() : *leads;
  }
  bool is_ready(const Member& member) { return get(member.url + "/readyz?role=active") == "ok\n"; }
  std::string role(const Member& member) {
    std::string node = get(member.url + "/v1/node");
    const std::string key = "\"role\":\"";
    size_t at = node.find(key);
    return at == std::string::npos
               ? ""
               : node.substr(at + key.size(), node.find('"', at + key.size()) - at - key.size());
  }

  void deploy(const Member& member, const std::string& text) {
    auto answer = call("POST", member.url + "/v1/plans", text, "text/plain");
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_LE(answer->status, 201) << answer->body;
  }
  int send(const Member& member, const std::string& body) {
    auto answer = call("POST", member.url + "/v1/streams/Logins/events", body);
    return answer.ok() ? answer->status : 0;
  }
  /// Until the journal no longer begins with its first entry.
  void trim_journal(const Member& member) {
    deploy(member,
           "@app:name('Bulk') define stream Bulk (text string);"
           "from Bulk[text == ''] select text insert into Nothing;");
    const std::string body = R"({"text":")" + std::string(1'000'000, 'x') + R"("})";
    EXPECT_TRUE(becomes_true([&] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(call("POST", member.url + "/v1/streams/Bulk/events", body)->status, 200);
      }
      for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(call("POST", member.url + "/v1/plans/Sums/persist")->status, 200);
      }
      return number_in(get(member.url + "/v1/node"), "first") > 1;
    }));
  }
  /// The last `limit` results of the stream, each a line.
  std::string results(const Member& member, const std::string& stream, int limit) {
    return shell("timeout 20 pollux tail " + stream + " --from oldest --limit " +
                 std::to_string(limit) + " --server " + member.url)
        .out;
  }

 private:
  static std::vector<int> free_ports(size_t count) {
    std::set<int> ports;
    while (ports.size() < count) ports.insert(free_port());
    return {ports.begin(), ports.end()};
  }

  static std::string log_of(const Member& member, int start) {
    return "log." + member.name + "." + std::to_string(start);
  }

  std::array<Member, 2> members_;
  bool plans_differ_ = false;
  std::string options_;
};

}  // namespace pollux
