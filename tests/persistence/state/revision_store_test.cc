#include "persistence/state/revision_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "persistence/codec/crc32c.h"
#include "persistence/state/state_folder.h"
#include "tests/persistence/state/revision_testing.h"

namespace pollux {
namespace {

using Names = std::vector<std::string>;

class RevisionStoreTest : public ::testing::Test {
 protected:
  RevisionStoreTest() : store_(open_store(files_)), folder_(store_->directory()) {}

  void persist_all(uint64_t first, uint64_t last) {
    for (uint64_t position = first; position <= last; ++position) {
      absl::Status persisted = persist(*store_, position, some_state(position, 5000));
      ASSERT_TRUE(persisted.ok()) << persisted;
    }
  }
  NewestRevision newest() {
    auto newest = store_->newest_valid();
    EXPECT_TRUE(newest.ok()) << newest.status();
    return *std::move(newest);
  }
  uint64_t newest_position() {
    NewestRevision found = newest();
    return found.revision ? found.revision->info.header.at.position.value : 0;
  }
  std::string path(const std::string& file) const { return folder_ + "/" + file; }

  SimulatedFileSystem files_{1};
  std::unique_ptr<RevisionStore> store_;
  const std::string folder_;
};

TEST_F(RevisionStoreTest, AStateComesBackAsItWasUnderTheNameThatTheOriginalGivesIt) {
  EXPECT_EQ(folder_, "states/-1234/LoginAlerts");
  for (size_t bytes :
       {size_t{0}, size_t{1}, kBlockBytes - 1, kBlockBytes, kBlockBytes + 1, 7 * kBlockBytes + 5}) {
    std::string state = some_state(bytes, bytes);
    RevisionHeader header = some_header(bytes);
    ASSERT_TRUE(persist(*store_, bytes, state).ok());
    NewestRevision found = newest();
    ASSERT_TRUE(found.revision) << bytes;
    EXPECT_EQ(found.path, path(std::to_string(header.timestamp.ms) + "_LoginAlerts"));
    EXPECT_EQ(found.revision->info.header, header);
    EXPECT_EQ(found.revision->info.trailer.state_bytes, bytes);
    EXPECT_TRUE(found.revision->state() == state) << bytes;
  }
}

TEST_F(RevisionStoreTest, PiecesOfAnySizeMakeTheSameFile) {
  std::string state = some_state(1, 3 * kBlockBytes + 77);
  ASSERT_TRUE(persist(*store_, 1, state).ok());
  std::string whole = *files_.content(newest().path);
  auto writer = store_->begin(some_header(1));
  ASSERT_TRUE(writer.ok());
  std::mt19937_64 random(1);
  for (std::string_view rest = state; !rest.empty();) {
    std::string_view piece =
        rest.substr(0, 1 + random() % (random() % 2 == 0 ? 100'000 : 3'000'000));
    ASSERT_TRUE((*writer)->append(piece).ok());
    rest.remove_prefix(piece.size());
  }
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_TRUE(*files_.content(newest().path) == whole);
}

TEST_F(RevisionStoreTest, EqualStatesHaveEqualHashesAndPackWell) {
  std::string state = some_state(1, 300'000);
  ASSERT_TRUE(persist(*store_, 1, state).ok());
  RevisionTrailer one = newest().revision->info.trailer;
  ASSERT_TRUE(persist(*store_, 2, state).ok());
  RevisionTrailer two = newest().revision->info.trailer;
  EXPECT_EQ(one.state_hash, two.state_hash);
  EXPECT_LT(one.body_bytes, state.size() * 2 / 3);
  state[1000] ^= 1;
  ASSERT_TRUE(persist(*store_, 3, state).ok());
  EXPECT_NE(newest().revision->info.trailer.state_hash, one.state_hash);
}

TEST_F(RevisionStoreTest, AfterTenRevisionsTheTwoLatestStand) {
  persist_all(1, 10);
  EXPECT_EQ(names_in(files_, folder_),
            (Names{"1493101053000_LoginAlerts", "1493101054000_LoginAlerts"}));
  EXPECT_EQ(newest_position(), 10U);
}

TEST_F(RevisionStoreTest, TimestampsOfFilesGrowWhereTheClockDoesNot) {
  persist_all(5, 5);
  ASSERT_TRUE(persist(*store_, 5, "again").ok());
  ASSERT_TRUE(persist(*store_, 3, "earlier by the clock").ok());
  EXPECT_EQ(names_in(files_, folder_),
            (Names{"1493101049001_LoginAlerts", "1493101049002_LoginAlerts"}));
  EXPECT_EQ(newest().revision->state(), "earlier by the clock");
}

TEST_F(RevisionStoreTest, ACorruptedNewestLeadsToTheOneBeforeAndIsTold) {
  persist_all(1, 2);
  std::string bad = newest().path;
  files_.flip_bit(bad, 8 * 100);
  NewestRevision found = newest();
  ASSERT_TRUE(found.revision);
  EXPECT_EQ(found.revision->info.header.at.position.value, 1U);
  EXPECT_TRUE(found.revision->state() == some_state(1, 5000));
  ASSERT_EQ(found.passed_over.size(), 1U);
  EXPECT_EQ(found.passed_over[0].code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(std::string(found.passed_over[0].message()).starts_with(bad));
}

TEST_F(RevisionStoreTest, EveryFlippedBitIsFound) {
  ASSERT_TRUE(persist(*store_, 1, some_state(1, 300)).ok());
  std::string file = newest().path;
  size_t bits = files_.content(file)->size() * 8;
  for (size_t bit = 0; bit < bits; ++bit) {
    files_.flip_bit(file, bit);
    EXPECT_FALSE(newest().revision) << bit;
    EXPECT_FALSE(verify_revision(files_, file).ok()) << bit;
    files_.flip_bit(file, bit);
  }
  EXPECT_TRUE(newest().revision);
}

TEST_F(RevisionStoreTest, AFileThatIsCutAnywhereIsRefused) {
  ASSERT_TRUE(persist(*store_, 1, some_state(1, 300)).ok());
  std::string file = newest().path;
  std::string whole = *files_.content(file);
  for (size_t size = 0; size < whole.size(); ++size) {
    files_.put(file, whole.substr(0, size));
    EXPECT_FALSE(newest().revision) << size;
  }
  files_.put(file, whole + "x");
  EXPECT_FALSE(newest().revision);
}

TEST_F(RevisionStoreTest, OfRottenRevisionsAsManyValidOnesAreKeptAllTheSame) {
  persist_all(1, 2);
  files_.flip_bit(newest().path, 8 * 100);
  persist_all(3, 3);
  EXPECT_EQ(names_in(files_, folder_).size(), 3U);  // 3 and 1, and 2 between them
  persist_all(4, 4);
  EXPECT_EQ(names_in(files_, folder_),
            (Names{"1493101047000_LoginAlerts", "1493101048000_LoginAlerts"}));
}

TEST_F(RevisionStoreTest, ForeignFilesAreLeftAlone) {
  const Names kForeign = {
      "1493101040000_LoginAlerts",  // as of the original: the name alone is ours
      "1493101044948_Other",
      "1493101044948_LoginAlerts.bak",
      "01493101044948_LoginAlerts",
      "18446744073709551615_LoginAlerts",
      "_LoginAlerts",
      "LoginAlerts",
      "README.tmp",
      ".tmp",
      "9_LoginAlerts_x"};
  for (const std::string& name : kForeign) files_.put(path(name), "not a revision, " + name);
  store_ = open_store(files_);
  EXPECT_FALSE(newest().revision);
  persist_all(1, 5);
  EXPECT_EQ(newest_position(), 5U);
  for (const std::string& name : kForeign) {
    EXPECT_EQ(files_.content(path(name)), "not a revision, " + name) << name;
  }
  EXPECT_EQ(names_in(files_, folder_).size(), kForeign.size() + 2);
}

TEST_F(RevisionStoreTest, ANewerVersionIsRefusedClearlyAndNotDestroyed) {
  persist_all(1, 1);
  std::string newer = *files_.content(newest().path);
  newer[4] = 2;
  uint32_t crc = crc32c(std::string_view(newer).substr(0, kRevisionHeaderBytes - 4));
  std::memcpy(newer.data() + kRevisionHeaderBytes - 4, &crc, 4);
  std::string name = path("1493101045500_LoginAlerts");
  files_.put(name, newer);
  NewestRevision found = newest();
  ASSERT_EQ(found.passed_over.size(), 1U);
  EXPECT_EQ(found.passed_over[0].code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(std::string(found.passed_over[0].message()).find("another version"), std::string::npos);
  persist_all(2, 6);
  EXPECT_EQ(files_.content(name), newer);
  EXPECT_EQ(names_in(files_, folder_).size(), 3U);
}

TEST_F(RevisionStoreTest, ListsWhatStandsThereNewestFirst) {
  persist_all(1, 2);
  files_.put(path("1493101040000_LoginAlerts"), "something else");
  auto listed = store_->list();
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 3U);
  EXPECT_EQ((*listed)[0].timestamp_ms, 1493101046000U);
  EXPECT_EQ((*listed)[0].info->header.at.position.value, 2U);
  EXPECT_EQ((*listed)[0].bytes, files_.content((*listed)[0].path)->size());
  EXPECT_EQ((*listed)[2].info.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RevisionStoreTest, AWriterThatIsGivenUpLeavesNothing) {
  persist_all(1, 1);
  auto writer = store_->begin(some_header(2));
  ASSERT_TRUE((*writer)->append(some_state(1, 2 * kBlockBytes)).ok());
  EXPECT_EQ(names_in(files_, folder_).size(), 2U);
  writer->reset();
  EXPECT_EQ(names_in(files_, folder_).size(), 1U);
}

TEST(StateFolder, NamesAreSafeAndDiffer) {
  EXPECT_EQ(state_folder_of("LoginAlerts"), "LoginAlerts");
  EXPECT_EQ(state_folder_of("a-b.c_1"), "a-b.c_1");
  EXPECT_EQ(state_folder_of("_node"), "%5Fnode");
  EXPECT_EQ(state_folder_of(".."), "%2E.");
  EXPECT_EQ(state_folder_of("a/b\\c d%\n"), "a%2Fb%5Cc%20d%25%0A");
  EXPECT_EQ(state_folder_of("\xc3\xa9"), "%C3%A9");
  EXPECT_NE(state_folder_of(""), "");
  std::string longest = state_folder_of(std::string(300, 'a'));
  EXPECT_LE(longest.size(), 200U);
  EXPECT_NE(longest, state_folder_of(std::string(301, 'a')));
}

}  // namespace
}  // namespace pollux
