// The workloads' data: the same for the same seed, of the shape that the workloads promise, and
// equal after a trip through the file.
#include "tests/bench/workload_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

namespace pollux::bench {
namespace {

constexpr uint32_t kCount = 200'000;

bool equal(const LoginEvent& a, const LoginEvent& b) {
  return a.username == b.username && a.ip == b.ip && a.success == b.success &&
         a.region == b.region && a.ts == b.ts && a.risk == b.risk;
}

std::string temporary_file(const char* name) { return testing::TempDir() + name; }

TEST(WorkloadData, IsTheSameForTheSameSeedOnly) {
  auto first = make_events(1, 1000);
  auto again = make_events(1, 1000);
  auto other = make_events(2, 1000);
  uint32_t different = 0;
  for (uint32_t i = 0; i < 1000; ++i) {
    EXPECT_TRUE(equal(first[i], again[i])) << i;
    different += equal(first[i], other[i]) ? 0 : 1;
  }
  EXPECT_GT(different, 990u);
}

TEST(WorkloadData, HasTheShapeOfTheWorkloads) {
  auto events = make_events(kDefaultSeed, kCount);
  EXPECT_EQ(events[0].ts % 60'000, 0);
  std::map<std::string, uint32_t> users;
  std::set<std::string> addresses;
  std::map<std::string, uint32_t> regions;
  uint32_t failures = 0;
  double risk = 0;
  for (uint32_t i = 0; i < kCount; ++i) {
    const LoginEvent& e = events[i];
    ASSERT_EQ(e.ts, events[0].ts + i);
    ASSERT_GE(e.risk, 0);
    ASSERT_LT(e.risk, 1);
    ++users[e.username];
    addresses.insert(e.ip);
    ++regions[e.region];
    failures += e.success ? 0 : 1;
    risk += e.risk;
  }
  EXPECT_NEAR(failures / double{kCount}, 0.2, 0.01);
  EXPECT_NEAR(risk / kCount, 0.5, 0.01);
  EXPECT_EQ(regions.size(), 50u);
  EXPECT_GT(addresses.size(), 60'000u);
  // Zipf: the harmonic number of 10,000 is 9.79, so the first user has 10.2 % and the tenth a tenth
  // of that.
  EXPECT_NEAR(users["user00000@example.com"] / double{kCount}, 0.1022, 0.005);
  EXPECT_NEAR(users["user00009@example.com"] / double{kCount}, 0.01022, 0.001);
}

TEST(WorkloadData, SumsOfRisksAreExact) {
  for (const LoginEvent& e : make_events(3, 1000)) {
    double units = e.risk * 0x1p24;
    ASSERT_EQ(units, std::floor(units));
  }
}

TEST(WorkloadData, ComesBackFromTheFileAsItWas) {
  std::string path = temporary_file("events.tsv");
  auto events = make_events(4, 5000);
  write_events(path, events);
  auto back = read_events(path);
  ASSERT_EQ(back.size(), events.size());
  for (size_t i = 0; i < events.size(); ++i) ASSERT_TRUE(equal(events[i], back[i])) << i;
  std::remove(path.c_str());
}

TEST(WorkloadData, HasOneRowForEachUser) {
  std::string path = temporary_file("users.tsv");
  write_users(path, make_users());
  std::set<std::string> names;
  for (const User& user : read_users(path)) names.insert(user.username);
  EXPECT_EQ(names.size(), kUsers);
  for (const LoginEvent& e : make_events(5, 1000)) EXPECT_EQ(names.count(e.username), 1u);
  std::remove(path.c_str());
}

TEST(WorkloadData, RefusesAFileWithAShortLine) {
  std::string path = temporary_file("short.tsv");
  std::ofstream(path) << "user\t10.0.0.1\ttrue\n";
  EXPECT_THROW(read_events(path), std::runtime_error);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace pollux::bench
