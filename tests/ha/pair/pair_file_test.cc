#include "ha/pair/pair_file.h"

#include <gtest/gtest.h>

#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {
namespace {

PairState some_state() {
  PairState state;
  state.domain = {1, 2};
  state.journal = {0xfedcba9876543210, 4};
  state.log = {5, 6};
  state.led = {7};
  state.installing = true;
  return state;
}

TEST(PairFile, KeepsWhatWasWritten) {
  SimulatedFileSystem disk(1);
  ASSERT_TRUE(disk.make_directories("data").ok());
  PairFile file(disk, "data");
  auto none = file.read();
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  ASSERT_TRUE(file.write(some_state()).ok());
  disk.restart(Crash::kPower);
  auto read = PairFile(disk, "data").read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(**read, some_state());
}

TEST(PairFile, IsTheOldOneOrTheNewOneAfterACrashAtAnyMoment) {
  for (uint64_t operations = 0; operations < 12; ++operations) {
    SimulatedFileSystem disk(operations + 1);
    ASSERT_TRUE(disk.make_directories("data").ok());
    ASSERT_TRUE(PairFile(disk, "data").write(some_state()).ok());
    PairState next = some_state();
    next.led = {8};
    disk.crash_after(operations);
    absl::Status written = PairFile(disk, "data").write(next);
    disk.restart(Crash::kPower);
    auto read = PairFile(disk, "data").read();
    ASSERT_TRUE(read.ok()) << read.status();
    if (written.ok()) {
      EXPECT_EQ(**read, next);
    }
    EXPECT_TRUE(**read == next || **read == some_state());
  }
}

TEST(PairFile, ThatHasRottenIsNotBelieved) {
  std::string whole = encode_pair_state(some_state());
  for (size_t byte = 0; byte < whole.size(); ++byte) {
    std::string rotten = whole;
    rotten[byte] = static_cast<char>(rotten[byte] ^ 1);
    auto state = decode_pair_state(rotten);
    // In another case of a hexadecimal digit it says the same; nothing else may pass.
    if (state.ok()) {
      EXPECT_EQ(*state, some_state()) << byte;
    }
    EXPECT_FALSE(decode_pair_state(whole.substr(0, byte)).ok()) << byte;
  }
  EXPECT_FALSE(decode_pair_state(whole + "more").ok());
}

TEST(PairFile, OfANewerVersionIsToldAsSuch) {
  std::string newer = encode_pair_state(some_state());
  newer.replace(newer.find(" 1\n"), 3, " 2\n");
  EXPECT_EQ(decode_pair_state(newer).status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace pollux
