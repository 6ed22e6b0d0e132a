// Data directories of released formats: a server goes on from each.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

class DataFixtureTest : public DaemonTest {};

/// Written by a server of version 1 that was killed: a plan, two batches of the producer "fixture"
/// with a state between them, and the results.
TEST_F(DataFixtureTest, AServerGoesOnFromTheDataOfVersionOne) {
  std::filesystem::copy(std::string(POLLUX_SOURCE_DIR) + "/tests/server/daemon/fixtures/data-v1",
                        path("data"), std::filesystem::copy_options::recursive);
  start_polluxd();
  std::string server = " --server " + base_url();
  EXPECT_EQ(shell("pollux query 'from Failures select user, times'" + server).out,
            "user  times\nann       2\nbob       1\n");
  ShellResult tail = shell("pollux tail Failed --from oldest --limit 3" + server);
  EXPECT_NE(tail.out.find(R"("id":"-1234/Guess/1.2.0")"), std::string::npos) << tail.out;
  EXPECT_NE(tail.out.find(R"("id":"-1234/Guess/1.4.0")"), std::string::npos) << tail.out;
  auto send = [&](int number) {
    return shell(
               "curl -s -H 'Content-Type: application/json' -H 'Pollux-Producer: fixture' -H "
               "'Pollux-Sequence: " +
               std::to_string(number) + R"(' -d '{"user":"ann","ok":false}' )" + base_url() +
               "/v1/streams/Logins/events")
        .out;
  };
  EXPECT_NE(send(2).find(R"("duplicate":true)"), std::string::npos);
  EXPECT_NE(send(3).find(R"("duplicate":false)"), std::string::npos);
  EXPECT_EQ(shell("pollux query 'from Failures select user, times'" + server).out,
            "user  times\nann       3\nbob       1\n");
  EXPECT_GT(number_in(get(base_url() + "/v1/node"), "epoch"), 1);
  std::string node = get(base_url() + "/v1/node");
  EXPECT_EQ(number_in(node, "plans"), 1) << "restored from its state: " << node;
}

}  // namespace
}  // namespace pollux
