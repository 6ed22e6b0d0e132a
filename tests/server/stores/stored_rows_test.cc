// What a plan's tables and aggregations begin with, out of a store.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/stores/stored_holders.h"
#include "storage/rocks_store.h"
#include "tests/support/temp_folder.h"

namespace pollux {
namespace {

constexpr int64_t kNow = 1'000'000;
constexpr int64_t kMemory = 100'000;

SchemaPtr schema_of(std::vector<Attribute> attributes) {
  return std::make_shared<const Schema>("T", std::move(attributes));
}

class StoredRowsTest : public testing::Test {
 protected:
  StoredRowsTest() {
    holder_.table = "T";
    holder_.stream = "P:T.changes";
    holder_.schema = schema_of({{"user", AttributeType::kString}, {"n", AttributeType::kInt}});
    auto opened = open_rocks_store({"EVENT_STORE", folder_ / "store"});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  /// A row at each of these times.
  void put(const std::vector<int64_t>& times) {
    TableDefinition table;
    table.name = "T";
    table.schema = holder_.schema;
    ASSERT_TRUE(store_->open_table(table).ok());
    EventBatch batch(table.schema);
    std::vector<uint32_t> ordinals;
    for (int64_t time : times) {
      batch.append_string(0, "ann");
      batch.column(1).append(static_cast<int32_t>(time));
      batch.end_row(time);
      ordinals.push_back(static_cast<uint32_t>(ordinals.size()));
    }
    const Rows rows{"-1234/P", {Epoch{1}, {++position_}}, &batch, ordinals};
    ASSERT_TRUE(store_->write("T", {&rows, 1}, Epoch{1}).ok());
  }
  StoredRows read() {
    auto rows = read_stored_rows(*store_, holder_, {kNow});
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? *std::move(rows) : StoredRows{};
  }
  static std::vector<int64_t> times_of(const StoredRows& rows) {
    std::vector<int64_t> times;
    for (const EventBatchPtr& batch : rows.batches) {
      times.insert(times.end(), batch->timestamps().begin(), batch->timestamps().end());
    }
    return times;
  }

  TempFolder folder_;
  StoredHolder holder_;
  std::unique_ptr<RecordStore> store_;
  uint64_t position_ = 0;
};

using Times = std::vector<int64_t>;

TEST_F(StoredRowsTest, ATableIsReadWhole) {
  EXPECT_EQ(times_of(read()), Times{}) << "there is no such table";
  put({1, 2, kNow});
  EXPECT_EQ(times_of(read()), (Times{1, 2, kNow}));
  EXPECT_EQ(read().from_ms, INT64_MIN);
  EXPECT_EQ(read().stream, "P:T.changes");
}

TEST_F(StoredRowsTest, AnAggregationIsReadAsFarBackAsItNeeds) {
  holder_.memory_ms = kMemory;
  EXPECT_EQ(read().from_ms, INT64_MIN) << "nothing was left out";
  put({kNow - kMemory, kNow});
  EXPECT_EQ(times_of(read()), (Times{kNow - kMemory, kNow}));
  EXPECT_EQ(read().from_ms, INT64_MIN);
  put({kNow - kMemory - 1});
  EXPECT_EQ(times_of(read()), (Times{kNow - kMemory, kNow}));
  EXPECT_EQ(read().from_ms, kNow - kMemory);
}

TEST_F(StoredRowsTest, OfOldEventsAloneTheNewestCount) {
  holder_.memory_ms = kMemory;
  const int64_t newest = kNow - 5 * kMemory;
  put({newest - kMemory - 1, newest - kMemory, newest});
  EXPECT_EQ(times_of(read()), (Times{newest - kMemory, newest}));
  EXPECT_EQ(read().from_ms, newest - kMemory);
}

TEST_F(StoredRowsTest, ColumnsGoByTheirNames) {
  put({7});
  holder_.schema = schema_of({{"more", AttributeType::kDouble}, {"n", AttributeType::kInt}});
  const StoredRows rows = read();
  ASSERT_EQ(rows.batches.size(), 1u);
  EXPECT_TRUE(is_null(rows.batches[0]->value(0, 0)));
  EXPECT_EQ(rows.batches[0]->value(0, 1), Value{int32_t{7}});
  holder_.schema = schema_of({{"n", AttributeType::kLong}});
  auto wrong = read_stored_rows(*store_, holder_, {kNow});
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong.status())) << wrong.status();
}

}  // namespace
}  // namespace pollux
