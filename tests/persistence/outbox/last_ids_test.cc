#include "persistence/outbox/last_ids.h"

#include <gtest/gtest.h>

#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {
namespace {

const LastIds kIds = {{"a", {{{1}, {2}}, 3}}, {"plan b", {{{4}, {5}}, 6}}};

TEST(LastIds, AreReadAsTheyWereWritten) {
  SimulatedFileSystem disk(1);
  ASSERT_EQ(disk.make_directories("outbox"), absl::OkStatus());
  EXPECT_TRUE(read_last_ids(disk, "outbox")->empty());
  ASSERT_EQ(write_last_ids(disk, "outbox", kIds), absl::OkStatus());
  disk.restart(Crash::kPower);
  EXPECT_EQ(*read_last_ids(disk, "outbox"), kIds);
}

TEST(LastIds, OnlyGrow) {
  LastIds ids;
  raise_last_id(ids, "a", {{{1}, {5}}, 2});
  raise_last_id(ids, "a", {{{1}, {4}}, 9});
  EXPECT_EQ(ids["a"], (PlanRow{{{1}, {5}}, 2}));
}

TEST(LastIds, DamageIsTold) {
  std::string bytes = encode_last_ids(kIds);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_last_ids(std::string_view(bytes).substr(0, length)).ok()) << length;
  }
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decode_last_ids(damaged).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
}

}  // namespace
}  // namespace pollux
