// What stands on disk: stores of the older format are taken over, others are left as they are, and
// files of rows hold nothing but rows.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>

#include "storage/rocks/bytes.h"
#include "storage/rocks/layout.h"
#include "tests/storage/crash_rows.h"
#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using rocks::Kind;
using testing::entry;
using testing::TestRow;
using testing::write_rows;

constexpr uint32_t kSeed = 3;
constexpr uint64_t kPositions = 30;

void expect_well(const rocksdb::Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

std::vector<std::string> families_of(const std::string& directory) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies({}, directory, &names).ok()) return {};
  return names;
}

/// A directory as RocksDB itself sees it, with all families.
class RawDatabase {
 public:
  explicit RawDatabase(const std::string& directory) {
    rocksdb::Options options;
    options.create_if_missing = true;
    std::vector<std::string> names = families_of(directory);
    if (names.empty()) names = {rocksdb::kDefaultColumnFamilyName};
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, options);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    expect_well(rocksdb::DB::Open(options, directory, families, &handles, &db));
    db_.reset(db);
    for (size_t i = 0; i < handles.size(); ++i) families_[names[i]].reset(handles[i]);
  }
  ~RawDatabase() { families_.clear(); }

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(const std::string& name) { return families_[name].get(); }
  rocksdb::ColumnFamilyHandle* rows() { return family(rocksdb::kDefaultColumnFamilyName); }
  rocksdb::ColumnFamilyHandle* marks() { return family(std::string(rocks::kMarksFamily)); }

  void add_family(const std::string& name) {
    rocksdb::ColumnFamilyHandle* made = nullptr;
    expect_well(db_->CreateColumnFamily({}, name, &made));
    families_[name].reset(made);
  }
  void drop_marks() {
    expect_well(db_->DropColumnFamily(marks()));
    families_.erase(std::string(rocks::kMarksFamily));
  }
  void put_format(uint64_t version) {
    std::string bytes;
    rocks::put_text(bytes, "pollux record store");
    rocks::put_varint(bytes, version);
    expect_well(db_->Put({}, rocks::key_of(Kind::kFormat), bytes));
  }
  std::map<std::string, std::string> all(rocksdb::ColumnFamilyHandle* family) {
    std::map<std::string, std::string> found;
    std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}, family));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      found.emplace(at->key().ToString(), at->value().ToString());
    }
    expect_well(at->status());
    return found;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::map<std::string, std::unique_ptr<rocksdb::ColumnFamilyHandle>> families_;
};

/// Rows, progress and all else that is to be seen of a store.
struct Contents {
  std::map<std::string, uint64_t> counts;
  std::map<std::string, std::vector<TestRow>> rows;
  std::map<std::string, std::optional<RowId>> progress;
  friend bool operator==(const Contents&, const Contents&) = default;
};

Contents contents_of(const RecordStore& store) {
  Contents contents;
  auto tables = store.tables();
  EXPECT_TRUE(tables.ok()) << tables.status();
  for (const StoredTable& table : *tables) {
    const std::string& name = table.definition.name;
    contents.counts[name] = table.rows;
    contents.rows[name] = *testing::scan_all(store, name);
    for (std::string_view source : testing::kCrashSources) {
      contents.progress[name + " " + std::string(source)] = *store.progress(name, source);
    }
  }
  return contents;
}

/// Makes a store with tables of each shape, rows in files and in the log, and a raised fence.
Contents make_store(const std::string& directory) {
  auto options = testing::options_for(directory);
  options.write_buffer_bytes = 64 * 1024;
  auto store = testing::open_or_fail(options);
  for (const auto& table :
       {testing::crash_events(), testing::crash_counts(), testing::crash_refused()}) {
    EXPECT_TRUE(store->open_table(table).ok());
  }
  for (uint64_t position = 1; position <= kPositions; ++position) {
    EXPECT_TRUE(testing::crash_write(*store, kSeed, position).ok());
  }
  EXPECT_TRUE(store->raise_fence(Epoch{1}).ok());
  return contents_of(*store);
}

/// Lays it out as version 1 did: everything in one family.
void lay_out_as_version_1(const std::string& directory) {
  RawDatabase raw(directory);
  for (const auto& [key, value] : raw.all(raw.marks())) {
    expect_well(raw.db().Put({}, key, value));
  }
  raw.drop_marks();
  raw.put_format(1);
}

void expect_goes_on(RecordStore& store) {
  EXPECT_EQ(store.raise_fence(Epoch{0}).code(), absl::StatusCode::kFailedPrecondition);
  const Contents before = contents_of(store);
  EXPECT_TRUE(testing::crash_write(store, kSeed, kPositions).ok());
  EXPECT_EQ(contents_of(store), before) << "what was written before has no effect";
  EXPECT_TRUE(testing::crash_write(store, kSeed, kPositions + 1).ok());
  EXPECT_GT(contents_of(store).counts["EVENTS"], before.counts.at("EVENTS"));
  const TableDefinition another{"ANOTHER", testing::crash_events().schema, {}, 0};
  ASSERT_TRUE(store.open_table(another).ok());
  EXPECT_EQ(testing::row_count(store, "ANOTHER"), 0u);
  EXPECT_TRUE(testing::scan_all(store, "ANOTHER")->empty()) << "the number of another table";
}

void expect_each_in_its_family(const std::string& directory) {
  RawDatabase raw(directory);
  for (const auto& [key, value] : raw.all(raw.rows())) EXPECT_FALSE(rocks::is_mark(key)) << key;
  auto marks = raw.all(raw.marks());
  for (const auto& [key, value] : marks) EXPECT_TRUE(rocks::is_mark(key)) << key;
  EXPECT_GE(marks.size(), 2u + 3 * 2);
}

TEST(RocksFormat, AStoreOfVersionOneIsTakenOver) {
  testing::TempDirectory directory;
  const Contents written = make_store(directory / "store");
  lay_out_as_version_1(directory / "store");
  ASSERT_EQ(families_of(directory / "store").size(), 1u);
  {
    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(contents_of(*store), written);
    expect_goes_on(*store);
  }
  expect_each_in_its_family(directory / "store");
  auto store = testing::open_or_fail(testing::options_for(directory / "store"));
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(testing::row_count(*store, "EVENTS"), testing::scan_all(*store, "EVENTS")->size());
}

TEST(RocksFormat, ATakeOverThatEndedWithTheProcessBeginsAnew) {
  testing::TempDirectory directory;
  const Contents written = make_store(directory / "store");
  lay_out_as_version_1(directory / "store");
  RawDatabase(directory / "store").add_family(std::string(rocks::kMarksFamily));
  {
    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(contents_of(*store), written);
    expect_goes_on(*store);
  }
  expect_each_in_its_family(directory / "store");
}

TEST(RocksFormat, ABeginningThatEndedWithTheProcessBeginsAnew) {
  testing::TempDirectory directory;
  RawDatabase(directory / "store").add_family(std::string(rocks::kMarksFamily));
  make_store(directory / "store");
  expect_each_in_its_family(directory / "store");
}

TEST(RocksFormat, ANewerFormatIsRefusedAndLeftAsItIs) {
  testing::TempDirectory directory;
  make_store(directory / "store");
  std::map<std::string, std::string> marks;
  {
    RawDatabase raw(directory / "store");
    raw.put_format(rocks::kFormatVersion + 1);
    raw.add_family("of a later version");
    marks = raw.all(raw.marks());
  }
  auto refused = open_rocks_store(testing::options_for(directory / "store"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* part : {"written in format 3", "up to 2", "the program that wrote it"}) {
    EXPECT_NE(refused.status().ToString().find(part), std::string::npos) << refused.status();
  }
  EXPECT_EQ(families_of(directory / "store").size(), 3u);
  RawDatabase raw(directory / "store");
  EXPECT_EQ(raw.all(raw.marks()), marks);
}

TEST(RocksFormat, ADatabaseOfSomethingElseIsRefusedAndLeftAsItIs) {
  for (const char* family : {"default", "theirs"}) {
    testing::TempDirectory directory;
    {
      RawDatabase raw(directory / "store");
      if (raw.family(family) == nullptr) raw.add_family(family);
      expect_well(raw.db().Put({}, raw.family(family), "key", "value"));
    }
    const auto families = families_of(directory / "store");
    auto refused = open_rocks_store(testing::options_for(directory / "store"));
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << family;
    EXPECT_NE(refused.status().ToString().find("something else"), std::string::npos)
        << refused.status();
    EXPECT_EQ(families_of(directory / "store"), families);
  }
}

TEST(RocksFormat, AStoreThatLostItsMarksIsDamaged) {
  testing::TempDirectory directory;
  make_store(directory / "store");
  RawDatabase(directory / "store").drop_marks();
  auto store = open_rocks_store(testing::options_for(directory / "store"));
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << store.status();
}

TEST(RocksFormat, ACopyIsAStoreWithRowsAndMarks) {
  testing::TempDirectory directory;
  const Contents written = make_store(directory / "store");
  {
    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    ASSERT_TRUE(store->copy_to(directory / "copy").ok());
    ASSERT_TRUE(testing::crash_write(*store, kSeed, kPositions + 1).ok());
  }
  auto copy = testing::open_or_fail(testing::options_for(directory / "copy"));
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(contents_of(*copy), written);
  expect_goes_on(*copy);
}

TEST(RocksFormat, ADroppedTableLeavesNothingInEitherFamily) {
  testing::TempDirectory directory;
  make_store(directory / "store");
  {
    auto store = testing::open_or_fail(testing::options_for(directory / "store"));
    auto tables = store->tables();
    ASSERT_TRUE(tables.ok());
    for (const StoredTable& table : *tables) {
      ASSERT_TRUE(store->drop_table(table.definition.name).ok());
    }
  }
  RawDatabase raw(directory / "store");
  EXPECT_EQ(raw.all(raw.rows()).size(), 1u) << "the format";
  EXPECT_EQ(raw.all(raw.marks()).size(), 2u) << "the fence and the next table";
}

TEST(RocksFormat, FilesOfRowsWhoseTimesGrowDoNotOverlap) {
  testing::TempDirectory directory;
  const TableDefinition events = testing::crash_events();
  {
    auto options = testing::options_for(directory / "store");
    options.write_buffer_bytes = 64 * 1024;
    auto store = testing::open_or_fail(options);
    ASSERT_TRUE(store->open_table(events).ok());
    for (int64_t time_ms = 1; time_ms <= 3000; ++time_ms) {
      EventBatch batch =
          testing::batch_of(events.schema, {{time_ms, {1, 2, int64_t{3}, std::string(300, 'x')}}});
      ASSERT_TRUE(
          write_rows(*store, events.name, batch, entry(1, static_cast<uint64_t>(time_ms))).ok());
    }
  }
  RawDatabase raw(directory / "store");
  rocksdb::ColumnFamilyMetaData family;
  raw.db().GetColumnFamilyMetaData(raw.rows(), &family);
  std::vector<rocksdb::SstFileMetaData> files;
  for (const auto& level : family.levels) {
    files.insert(files.end(), level.files.begin(), level.files.end());
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.smallestkey < b.smallestkey; });
  EXPECT_GT(files.size(), 4u) << "they were moved, not merged";
  for (size_t i = 1; i < files.size(); ++i) {
    EXPECT_LT(files[i - 1].largestkey, files[i].smallestkey);
  }
}

}  // namespace
}  // namespace pollux
