// kill -9 in the middle of writes: rows and progress must agree whenever it hits.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "storage/refused_rows.h"
#include "tests/storage/crash_rows.h"
#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using testing::TestRow;

/// A process that writes, with its output.
class CrashWriter {
 public:
  CrashWriter(const std::string& directory, uint32_t seed) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::string arguments[] = {POLLUX_STORAGE_CRASH_WRITER, directory, std::to_string(seed)};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~CrashWriter() {
    if (pid_ > 0) kill();
    ::close(output_);
  }

  /// Waits for that many positions; false when the process ended before.
  bool wait_for(size_t positions) {
    char bytes[256];
    for (size_t left = positions; left != 0;) {
      ssize_t got = ::read(output_, bytes, std::min(left, sizeof(bytes)));
      if (got <= 0) return false;
      left -= static_cast<size_t>(got);
    }
    return true;
  }
  /// Ends it, and counts the positions it wrote that were not waited for.
  size_t kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    pid_ = 0;
    size_t more = 0;
    char bytes[256];
    for (ssize_t got; (got = ::read(output_, bytes, sizeof(bytes))) > 0;) {
      more += static_cast<size_t>(got);
    }
    return more;
  }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
};

std::vector<TestRow> sorted(std::vector<TestRow> rows) {
  std::sort(rows.begin(), rows.end(), [](const TestRow& a, const TestRow& b) {
    return std::tie(a.time_ms, a.values) < std::tie(b.time_ms, b.values);
  });
  return rows;
}

/// The table holds the rows up to the progress of each source, and no others. The lowest progress.
uint64_t expect_rows_up_to_progress(RecordStore& store, const TableDefinition& table,
                                    uint32_t seed) {
  std::vector<TestRow> expected;
  std::map<std::pair<Value, Value>, TestRow> by_key;
  uint64_t lowest = UINT64_MAX;
  for (size_t source = 0; source < std::size(testing::kCrashSources); ++source) {
    auto progress = store.progress(table.name, testing::kCrashSources[source]);
    EXPECT_TRUE(progress.ok()) << progress.status();
    const uint64_t reached = progress->has_value() ? (**progress).entry.position.value : 0;
    lowest = std::min(lowest, reached);
    for (uint64_t position = 1; position <= reached; ++position) {
      EventBatch batch = testing::crash_batch(table, seed, source, position);
      if (position == reached) {
        EXPECT_EQ((**progress).ordinal, batch.rows() - 1);
      }
      for (TestRow& row : testing::rows_of(batch)) {
        if (table.primary_key.empty()) {
          expected.push_back(std::move(row));
        } else {
          by_key.insert_or_assign({row.values[0], row.values[1]}, row);
        }
      }
    }
  }
  for (const auto& [key, row] : by_key) expected.push_back(row);
  auto rows = testing::scan_all(store, table.name);
  EXPECT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), testing::row_count(store, table.name));
  EXPECT_TRUE(std::is_sorted(rows->begin(), rows->end(), [](const TestRow& a, const TestRow& b) {
    return a.time_ms < b.time_ms;
  }));
  EXPECT_TRUE(sorted(*rows) == sorted(expected)) << "progress " << lowest;
  return lowest;
}

/// As many rows were refused as the progress of their table says, each once.
uint64_t expect_refused_up_to_progress(RecordStore& store) {
  auto progress = store.progress(testing::crash_refused().name, testing::kCrashSources[0]);
  EXPECT_TRUE(progress.ok()) << progress.status();
  const uint64_t reached = progress->has_value() ? (**progress).entry.position.value : 0;
  EXPECT_EQ(testing::row_count(store, testing::crash_refused().name), reached);
  std::set<Value> ids;
  auto rows = testing::scan_all(store, kRefusedRowsTable);
  if (rows.ok()) {
    for (const TestRow& row : *rows) ids.insert(row.values[3]);
    EXPECT_EQ(rows->size(), reached);
    EXPECT_EQ(testing::row_count(store, kRefusedRowsTable), reached);
  }
  EXPECT_EQ(ids.size(), reached);
  return reached;
}

class RocksCrashTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(RocksCrashTest, RowsAreExactlyThoseUpToTheProgress) {
  testing::TempDirectory directory;
  std::mt19937 random(GetParam());
  uint64_t written = 0;
  for (int round = 0; round < 4; ++round) {
    CrashWriter writer(directory / "store", GetParam());
    const size_t positions = 1 + random() % 400;
    ASSERT_TRUE(writer.wait_for(positions));
    ::usleep(random() % 2000);  // to hit other places; nothing depends on it
    written += positions + writer.kill();

    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    ASSERT_NE(store, nullptr);
    // The page cache outlives the process: what was told as written is there without sync.
    uint64_t events = expect_rows_up_to_progress(*store, testing::crash_events(), GetParam());
    uint64_t counts = expect_rows_up_to_progress(*store, testing::crash_counts(), GetParam());
    uint64_t refused = expect_refused_up_to_progress(*store);
    EXPECT_GE(events, written);
    EXPECT_GE(counts, written);
    EXPECT_GE(refused, written);
    EXPECT_LE(refused, written + 1);
    written = refused;
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RocksCrashTest, ::testing::Range(1U, 7U));

TEST(RocksLock, ADirectoryInUseIsToldSo) {
  testing::TempDirectory directory;
  CrashWriter holder(directory / "store", 0);
  ASSERT_TRUE(holder.wait_for(1));
  auto second = open_rocks_store(testing::options_for(directory / "store"));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* part : {"EVENT_STORE", directory.path().c_str(), "another store has"}) {
    EXPECT_NE(second.status().ToString().find(part), std::string::npos) << second.status();
  }
  holder.kill();
  EXPECT_NE(testing::open_or_fail(testing::options_for(directory / "store")), nullptr);
  auto first = testing::open_or_fail(testing::options_for(directory / "store"));
  EXPECT_EQ(open_rocks_store(testing::options_for(directory / "store")).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

/// Of every log some end, as of a disk that had not written it: logs reach a disk in any order.
void lose_ends_of_logs(const std::string& directory, std::mt19937& random) {
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().extension() != ".log") continue;
    std::filesystem::resize_file(file.path(), random() % (file.file_size() + 1));
  }
}

// The log is not synced, but table files are: rows in them must not be ahead of their progress, nor
// either of a log that has to be read.
TEST_P(RocksCrashTest, ALossOfPowerEndsAtAnEarlierWrite) {
  testing::TempDirectory directory;
  std::mt19937 random(GetParam());
  for (int round = 0; round < 4; ++round) {
    CrashWriter writer(directory / "store", GetParam());
    ASSERT_TRUE(writer.wait_for(1 + random() % 100));
    ::usleep(random() % 2000);  // to hit other places; nothing depends on it
    writer.kill();
    lose_ends_of_logs(directory / "store", random);

    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    ASSERT_NE(store, nullptr);
    for (const auto& table :
         {testing::crash_events(), testing::crash_counts(), testing::crash_refused()}) {
      ASSERT_TRUE(store->open_table(table).ok());  // the log may have held no more than its end
    }
    expect_rows_up_to_progress(*store, testing::crash_events(), GetParam());
    expect_rows_up_to_progress(*store, testing::crash_counts(), GetParam());
    expect_refused_up_to_progress(*store);
    if (HasFailure()) return;
  }
}

TEST(RocksLog, ADamagedLogEndsAtAnEarlierWrite) {
  testing::TempDirectory directory;
  {
    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    for (const auto& table :
         {testing::crash_events(), testing::crash_counts(), testing::crash_refused()}) {
      ASSERT_TRUE(store->open_table(table).ok());
    }
    for (uint64_t position = 1; position <= 60; ++position) {
      ASSERT_TRUE(testing::crash_write(*store, 1, position).ok());
    }
  }
  for (const auto& file : std::filesystem::directory_iterator(directory / "store")) {
    if (file.path().extension() != ".log") continue;
    std::fstream log(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(static_cast<std::streamoff>(file.file_size() / 2));
    log.write("damaged!", 8);
  }
  auto store = testing::open_or_fail(testing::options_for(directory / "store"));
  ASSERT_NE(store, nullptr);
  uint64_t events = expect_rows_up_to_progress(*store, testing::crash_events(), 1);
  expect_rows_up_to_progress(*store, testing::crash_counts(), 1);
  expect_refused_up_to_progress(*store);
  EXPECT_GT(events, 0u);
  EXPECT_LT(events, 60u);
  for (uint64_t position = events; position <= 60; ++position) {
    ASSERT_TRUE(testing::crash_write(*store, 1, position).ok());
  }
  EXPECT_EQ(expect_rows_up_to_progress(*store, testing::crash_events(), 1), 60u);
  EXPECT_EQ(expect_rows_up_to_progress(*store, testing::crash_counts(), 1), 60u);
  EXPECT_EQ(expect_refused_up_to_progress(*store), 60u);
}

}  // namespace
}  // namespace pollux
