#include "persistence/outbox/reader_places.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {
namespace {

class ReaderPlacesTest : public ::testing::Test {
 protected:
  ReaderPlacesTest() { EXPECT_EQ(disk_.make_directories("outbox"), absl::OkStatus()); }
  std::unique_ptr<ReaderPlaces> read() {
    auto places = ReaderPlaces::read(disk_, "outbox");
    EXPECT_TRUE(places.ok()) << places.status();
    return places.ok() ? *std::move(places) : nullptr;
  }
  using All = std::map<std::string, uint64_t, std::less<>>;

  SimulatedFileSystem disk_{3};
};

TEST_F(ReaderPlacesTest, AFirstPlaceLasts) {
  EXPECT_EQ(read()->confirmed_below(), 1u);
  ASSERT_EQ(read()->put("a", 5), absl::OkStatus());
  ASSERT_EQ(read()->put("b", 9), absl::OkStatus());
  disk_.restart(Crash::kPower);
  EXPECT_EQ(read()->all(), (All{{"a", 5}, {"b", 9}}));
  EXPECT_EQ(read()->confirmed_below(), 5u);
}

TEST_F(ReaderPlacesTest, ConfirmationsSurviveAKillAndAreNeverTooLateAfterALossOfPower) {
  auto places = read();
  ASSERT_EQ(places->put("a", 1), absl::OkStatus());
  for (uint64_t to = 2; to <= 10'000; ++to) ASSERT_EQ(places->confirm("a", to), absl::OkStatus());
  ASSERT_EQ(places->confirm("a", 7), absl::OkStatus()) << "it stands further on";
  disk_.restart(Crash::kProcess);
  EXPECT_EQ(read()->all(), (All{{"a", 10'000}}));
  EXPECT_LE(disk_.content("outbox/confirmed.a")->size(), 66'000u);
  places = read();
  for (uint64_t to = 10'001; to <= 10'100; ++to) {
    ASSERT_EQ(places->confirm("a", to), absl::OkStatus());
  }
  disk_.restart(Crash::kPower);
  uint64_t place = read()->all()["a"];
  EXPECT_GE(place, 10'000u);
  EXPECT_LE(place, 10'100u);
}

TEST_F(ReaderPlacesTest, ATornRecordLeavesTheOneBefore) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    disk_ = SimulatedFileSystem(seed);
    ASSERT_EQ(disk_.make_directories("outbox"), absl::OkStatus());
    auto places = read();
    ASSERT_EQ(places->put("a", 1), absl::OkStatus());
    ASSERT_EQ(places->confirm("a", 2), absl::OkStatus());
    disk_.crash_after(0);
    EXPECT_FALSE(places->confirm("a", 3).ok());
    disk_.restart(seed % 2 == 0 ? Crash::kProcess : Crash::kPower);
    places = read();
    uint64_t place = places->all()["a"];
    EXPECT_GE(place, seed % 2 == 0 ? 2u : 1u);
    EXPECT_LE(place, 3u);
    ASSERT_EQ(places->confirm("a", 4), absl::OkStatus());
    EXPECT_EQ(read()->all()["a"], 4u);
  }
}

TEST_F(ReaderPlacesTest, AFullDiskLeavesTheEarlierPlace) {
  auto places = read();
  ASSERT_EQ(places->put("a", 1), absl::OkStatus());
  disk_.set_capacity(disk_.bytes_used() + 7);
  EXPECT_EQ(places->confirm("a", 2).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(places->confirm("a", 3).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(places->put("b", 3).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(read()->all(), (All{{"a", 1}}));
  disk_.heal();
  EXPECT_EQ(places->confirm("a", 3), absl::OkStatus());
  EXPECT_EQ(read()->all(), (All{{"a", 3}}));
}

TEST_F(ReaderPlacesTest, WhatIsForgottenStaysForgotten) {
  auto places = read();
  ASSERT_EQ(places->put("a", 1), absl::OkStatus());
  ASSERT_EQ(places->forget("a"), absl::OkStatus());
  ASSERT_EQ(places->forget("a"), absl::OkStatus());
  ASSERT_EQ(places->confirm("a", 5), absl::OkStatus());
  disk_.restart(Crash::kPower);
  EXPECT_TRUE(read()->all().empty());
}

TEST_F(ReaderPlacesTest, ReadersBehindTheEndAreBroughtBackForGood) {
  ASSERT_EQ(read()->put("a", 100), absl::OkStatus());
  ASSERT_EQ(read()->put("b", 10), absl::OkStatus());
  ASSERT_EQ(read()->put("c", 50), absl::OkStatus());
  auto places = read();
  ASSERT_EQ(places->settle(20, 80), absl::OkStatus());
  EXPECT_EQ(places->all(), (All{{"a", 80}, {"b", 20}, {"c", 50}}));
  disk_.restart(Crash::kPower);
  EXPECT_EQ(read()->all()["a"], 80u);
}

TEST_F(ReaderPlacesTest, APlaceThatHasRottedIsTold) {
  ASSERT_EQ(read()->put("a", 100), absl::OkStatus());
  disk_.flip_bit("outbox/confirmed.a", 8 * 17);
  auto places = read();
  EXPECT_EQ(places->rotten(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(places->confirmed_below(), 1u);
  ASSERT_EQ(places->settle(20, 200), absl::OkStatus());
  EXPECT_EQ(places->all(), (All{{"a", 20}}));
  EXPECT_TRUE(read()->rotten().empty());
}

TEST_F(ReaderPlacesTest, AnyBytesAreAPlaceOrRotten) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(random() % 80, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    disk_.put("outbox/confirmed.a", bytes);
    EXPECT_EQ(read()->rotten().size(), 1u);
  }
}

TEST_F(ReaderPlacesTest, OtherFilesAreLeftAloneAndUnfinishedOnesRemoved) {
  disk_.put("outbox/confirmed.a.new", "half");
  disk_.put("outbox/notes", "mine");
  auto places = read();
  EXPECT_TRUE(places->all().empty());
  ASSERT_EQ(places->settle(1, 1), absl::OkStatus());
  EXPECT_FALSE(disk_.content("outbox/confirmed.a.new"));
  EXPECT_TRUE(disk_.content("outbox/notes"));
}

TEST_F(ReaderPlacesTest, AnyNameHasAFileOfItsOwn) {
  std::set<std::string> keys;
  for (const char* name :
       {"a.new", "a%2Enew", "P/Out/http/1", "P%2FOut%2Fhttp%2F1", ".", "", "a"}) {
    std::string key = ReaderPlaces::key_of(name);
    EXPECT_TRUE(keys.insert(key).second) << name;
    ASSERT_EQ(read()->put(key, 3), absl::OkStatus()) << name;
  }
  EXPECT_EQ(read()->all().size(), keys.size());
}

}  // namespace
}  // namespace pollux
