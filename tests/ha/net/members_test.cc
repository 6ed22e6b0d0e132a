// Where a peer may be found, and under which address a node may say it is reached.
#include "ha/net/members.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pollux {
namespace {

std::string members(const std::vector<std::string>& texts) {
  auto parsed = parse_members(texts, 4000);
  if (!parsed.ok()) return std::string(parsed.status().message());
  std::string all;
  for (const HostPort& one : *parsed) all += (all.empty() ? "" : " ") + to_text(one);
  return all;
}

TEST(Members, AreNamesAddressesAndRanges) {
  EXPECT_EQ(members({}), "");
  EXPECT_EQ(members({"node-1", "node-2.example:4001"}), "node-1:4000 node-2.example:4001");
  EXPECT_EQ(members({"::1", "[fe80::1]:4001", "[::2]"}), "[::1]:4000 [fe80::1]:4001 [::2]:4000");
  EXPECT_EQ(members({"192.168.1.2-4"}), "192.168.1.2:4000 192.168.1.3:4000 192.168.1.4:4000");
  EXPECT_EQ(members({"192.168.1.2-3:4100"}), "192.168.1.2:4100 192.168.1.3:4100");
  EXPECT_EQ(members({"10.0.0.255-10.0.1.1"}), "10.0.0.255:4000 10.0.1.0:4000 10.0.1.1:4000");
  EXPECT_EQ(members({"10.0.0.7-7"}), "10.0.0.7:4000");
}

TEST(Members, StandOnceEach) {
  EXPECT_EQ(members({"10.0.0.1-2", "10.0.0.2-3", "10.0.0.1"}),
            "10.0.0.1:4000 10.0.0.2:4000 10.0.0.3:4000");
}

TEST(Members, AllMistakesAreToldAtOnce) {
  EXPECT_EQ(members({"a:b", "good", "10.0.0.5-2", ""}),
            "members: 'a:b': the port is no number from 1 to 65535; '10.0.0.5-2': the range ends "
            "before it begins; '': this is no host name and no address");
  for (const char* wrong : {"a:0", "a:65536", "[::1", "[::1]4000", "[a]:1", "a b", ":4000",
                            "a:", "10.0.0.1-10.1.0.1"}) {
    EXPECT_FALSE(parse_members({wrong}, 4000).ok()) << wrong;
  }
}

TEST(Members, AreNoMoreThanAreTried) {
  EXPECT_TRUE(parse_members({"10.0.0.0-255"}, 4000).ok());
  EXPECT_FALSE(parse_members({"10.0.0.0-255", "10.0.1.1"}, 4000).ok());
  EXPECT_FALSE(parse_members({"0.0.0.0-255.255.255.255"}, 4000).ok());
}

TEST(Advertised, NobodyReachesANodeUnderAllAddresses) {
  std::vector<HostPort> others = {{"192.168.1.2", 4000}};
  for (const char* host : {"", "0.0.0.0", "::", "*", "not a host"}) {
    absl::Status checked = check_advertised(host, others);
    EXPECT_TRUE(absl::IsInvalidArgument(checked)) << host;
    EXPECT_NE(checked.message().find("set the advertised host to"), absl::string_view::npos);
  }
  EXPECT_TRUE(check_advertised("192.168.1.1", others).ok());
  EXPECT_TRUE(check_advertised("node-1.example", others).ok());
  EXPECT_TRUE(check_advertised("fd00::1", others).ok());
}

TEST(Advertised, LoopbackIsForPairsOnOneMachine) {
  for (const char* host : {"127.0.0.1", "localhost", "::1", "127.1.2.3"}) {
    EXPECT_TRUE(check_advertised(host, {{"127.0.0.1", 4001}, {"localhost", 4000}}).ok());
    EXPECT_FALSE(check_advertised(host, {{"127.0.0.1", 4001}, {"node-2", 4000}}).ok());
  }
}

}  // namespace
}  // namespace pollux
