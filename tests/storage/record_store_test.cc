// What a record store does, whatever it is built on.
#include "storage/record_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <set>
#include <thread>

#include "storage/refused_rows.h"
#include "tests/storage/storage_testing.h"
#include "tests/storage/store_backend.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::entry;
using testing::row_count;
using testing::scan_all;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

class RecordStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }

  void reopen() {
    store_.reset();
    store_ = home_->open();
    ASSERT_NE(store_, nullptr);
  }

  /// An event table: rows are appended.
  TableDefinition events(int64_t retention_ms = 0) {
    return {"EVENTS", event_schema_, {}, retention_ms};
  }
  /// A table of counts for each user and tenant.
  TableDefinition counts(int64_t retention_ms = 0) {
    return {"COUNTS", count_schema_, {"user", "tenant"}, retention_ms};
  }
  void open(const TableDefinition& definition) {
    absl::Status opened = store_->open_table(definition);
    ASSERT_TRUE(opened.ok()) << opened;
  }
  std::vector<TestRow> scan(std::string_view table, RecordTimeRange range = {},
                            Timestamp now = {}) {
    auto rows = scan_all(*store_, table, range, now);
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? *rows : std::vector<TestRow>();
  }
  Written write(std::string_view table, const SchemaPtr& schema, const std::vector<TestRow>& rows,
                EntryId id, std::string_view source = "-1234/plan") {
    auto written = write_rows(*store_, table, batch_of(schema, rows), id, source);
    EXPECT_TRUE(written.ok()) << written.status();
    return written.ok() ? *written : Written();
  }
  /// One entry of rows that are put, and of rows (with `false`) whose keys are taken away.
  Written put_or_erase(const std::vector<std::pair<TestRow, bool>>& rows, EntryId id) {
    std::vector<TestRow> values;
    std::vector<uint8_t> erased;
    for (const auto& [row, is_put] : rows) {
      values.push_back(row);
      erased.push_back(is_put ? 0 : 1);
    }
    const EventBatch batch = batch_of(count_schema_, values);
    const std::vector<uint32_t> ordinals = testing::ordinals_for(batch);
    const Rows some{"-1234/plan", id, &batch, ordinals, erased};
    auto written = store_->write("COUNTS", {&some, 1}, id.epoch);
    EXPECT_TRUE(written.ok()) << written.status();
    return written.ok() ? *written : Written();
  }
  static std::string text_of(const absl::Status& status) { return status.ToString(); }

  std::unique_ptr<testing::StoreHome> home_ = testing::store_backend().make_home();
  std::unique_ptr<RecordStore> store_;
  SchemaPtr event_schema_ =
      schema_of({{"user", AttributeType::kString}, {"success", AttributeType::kBool}});
  SchemaPtr count_schema_ = schema_of({{"user", AttributeType::kString},
                                       {"tenant", AttributeType::kInt},
                                       {"count", AttributeType::kLong},
                                       {"_timestamp", AttributeType::kLong}});
};

TestRow event(int64_t time_ms, std::string user) { return {time_ms, {std::move(user), true}}; }
TestRow count(std::string user, int32_t tenant, int64_t n, int64_t time_ms) {
  return {time_ms, {std::move(user), tenant, n, time_ms}};
}

TEST_F(RecordStoreTest, AppendedRowsComeInTheOrderOfTimeThenArrival) {
  open(events());
  write("EVENTS", event_schema_, {event(20, "b"), event(10, "a"), event(20, "c")}, entry(1, 1));
  write("EVENTS", event_schema_, {event(10, "d"), event(-5, "e")}, entry(1, 2));
  const std::vector<TestRow> expected{event(-5, "e"), event(10, "a"), event(10, "d"),
                                      event(20, "b"), event(20, "c")};
  EXPECT_EQ(scan("EVENTS"), expected);
  reopen();
  EXPECT_EQ(scan("EVENTS"), expected);
  EXPECT_EQ(row_count(*store_, "EVENTS"), 5u);
}

TEST_F(RecordStoreTest, TheLastRowOfAKeyWins) {
  open(counts());
  write("COUNTS", count_schema_,
        {count("ann", 1, 1, 100), count("bob", 1, 1, 101), count("ann", 1, 2, 102)}, entry(1, 1));
  write("COUNTS", count_schema_, {count("bob", 1, 2, 50), count("ann", 2, 9, 102)}, entry(1, 2));
  EXPECT_EQ(scan("COUNTS"), (std::vector<TestRow>{count("bob", 1, 2, 50), count("ann", 1, 2, 102),
                                                  count("ann", 2, 9, 102)}));
  EXPECT_EQ(row_count(*store_, "COUNTS"), 3u);

  std::vector<Value> key{std::string("bob"), int32_t{1}};
  auto found = store_->find("COUNTS", key, Timestamp{});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_NE(*found, nullptr);
  EXPECT_EQ(testing::rows_of(**found), std::vector<TestRow>{count("bob", 1, 2, 50)});
  key[1] = int32_t{3};
  found = store_->find("COUNTS", key, Timestamp{});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, nullptr);
}

TEST_F(RecordStoreTest, RowsOfManyKeysAreLookedUpWithTheColumnsThatAreWanted) {
  open(counts(1000));
  const std::string& text = testing::store_backend().strange_text;
  write("COUNTS", count_schema_,
        {count("ann", 1, 1, 5000), count("o'neil\"\\", 1, 2, 5001), count(text, 2, 3, 5002),
         count("old", 1, 4, 3000)},
        entry(1, 1));
  const SchemaPtr columns = schema_of({{"count", AttributeType::kLong},
                                       {"tenant", AttributeType::kInt},
                                       {"user", AttributeType::kString}});
  const TableDefinition wanted{"COUNTS", columns, {"user", "tenant"}, 0};
  const SchemaPtr key =
      schema_of({{"user", AttributeType::kString}, {"tenant", AttributeType::kInt}});
  const EventBatch keys = batch_of(key, {{0, {std::string("ann"), int32_t{1}}},
                                         {0, {std::string("ann"), int32_t{2}}},
                                         {0, {std::string("o'neil\"\\"), int32_t{1}}},
                                         {0, {std::string("old"), int32_t{1}}},
                                         {0, {std::string("\xff\0{},", 5), int32_t{1}}},
                                         {0, {text, int32_t{2}}}});
  auto found = store_->look_up(wanted, keys, Timestamp{5500});
  ASSERT_TRUE(found.ok()) << found.status();
  std::set<std::string> rows;
  for (uint32_t row = 0; row < (*found)->rows(); ++row) {
    rows.insert(to_text((*found)->value(row, 0)) + " " + to_text((*found)->value(row, 1)) + " " +
                to_text((*found)->value(row, 2)));
  }
  EXPECT_EQ(rows, (std::set<std::string>{"1 1 ann", "2 1 o'neil\"\\", "3 2 " + text}));

  const EventBatch none = batch_of(key, {});
  EXPECT_TRUE(store_->look_up(wanted, none, {}).ok());
  const TableDefinition wrong[] = {{"NOWHERE", columns, {"user", "tenant"}, 0},
                                   {"COUNTS", columns, {"tenant", "user"}, 0},
                                   {"COUNTS",
                                    schema_of({{"user", AttributeType::kString},
                                               {"tenant", AttributeType::kInt},
                                               {"more", AttributeType::kInt}}),
                                    {"user", "tenant"},
                                    0},
                                   {"COUNTS",
                                    schema_of({{"user", AttributeType::kString},
                                               {"tenant", AttributeType::kInt},
                                               {"count", AttributeType::kInt}}),
                                    {"user", "tenant"},
                                    0}};
  for (const TableDefinition& table : wrong) {
    auto refused = store_->look_up(table, none, {});
    EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  }
}

TEST_F(RecordStoreTest, NullsAndStrangeTextsStandInAnyColumnAlsoOfTheKey) {
  open(counts());
  const std::string& text = testing::store_backend().strange_text;
  std::vector<TestRow> rows{{1, {Value(), int32_t{1}, Value(), Value()}},
                            {2, {std::string(), Value(), int64_t{2}, Value()}},
                            {3, {text, Value(), int64_t{3}, Value()}},
                            {4, {Value(), Value(), int64_t{4}, Value()}}};
  write("COUNTS", count_schema_, rows, entry(1, 1));
  EXPECT_EQ(scan("COUNTS"), rows);
  auto found = store_->find("COUNTS", std::vector<Value>{Value(), Value()}, Timestamp{});
  ASSERT_TRUE(found.ok() && *found != nullptr);
  EXPECT_EQ(testing::rows_of(**found), std::vector<TestRow>{rows[3]});
  found = store_->find("COUNTS", std::vector<Value>{text, Value()}, Timestamp{});
  ASSERT_TRUE(found.ok() && *found != nullptr);
}

TEST_F(RecordStoreTest, TheTimeOfARowIsItsRecordTimeIfItHasOne) {
  open(counts());
  TestRow with{7, {std::string("a"), int32_t{1}, int64_t{1}, int64_t{500}}};
  TestRow without{7, {std::string("b"), int32_t{1}, int64_t{1}, Value()}};
  write("COUNTS", count_schema_, {with, without}, entry(1, 1));
  with.time_ms = 500;
  EXPECT_EQ(scan("COUNTS"), (std::vector<TestRow>{without, with}));
}

TEST_F(RecordStoreTest, ARangeHoldsItsBeginningAndNotItsEnd) {
  open(events());
  const int64_t least = std::numeric_limits<int64_t>::min();
  const int64_t most = std::numeric_limits<int64_t>::max();
  std::vector<TestRow> rows{event(least, "a"), event(-1, "b"), event(0, "c"), event(5, "d"),
                            event(most, "e")};
  write("EVENTS", event_schema_, rows, entry(1, 1));
  EXPECT_EQ(scan("EVENTS"), rows);
  EXPECT_EQ(scan("EVENTS", {Timestamp{-1}, Timestamp{5}}),
            (std::vector<TestRow>{rows[1], rows[2]}));
  EXPECT_TRUE(scan("EVENTS", {Timestamp{5}, Timestamp{5}}).empty());
  EXPECT_TRUE(scan("EVENTS", {Timestamp{6}, Timestamp{5}}).empty());
}

// ---- exactly once ----

TEST_F(RecordStoreTest, RowsThatWereWrittenBeforeHaveNoEffect) {
  open(events());
  write("EVENTS", event_schema_, {event(1, "a"), event(2, "b")}, entry(1, 5));
  Written again =
      write("EVENTS", event_schema_, {event(1, "a"), event(2, "b"), event(3, "c")}, entry(1, 5));
  EXPECT_EQ(again.rows, 1u);
  EXPECT_EQ(again.repeated, 2u);
  EXPECT_EQ(write("EVENTS", event_schema_, {event(9, "old")}, entry(1, 4)).repeated, 1u);
  EXPECT_EQ(scan("EVENTS").size(), 3u);
  reopen();
  auto progress = store_->progress("EVENTS", "-1234/plan");
  ASSERT_TRUE(progress.ok() && progress->has_value());
  EXPECT_EQ(**progress, (RowId{entry(1, 5), 2}));
  EXPECT_EQ(write("EVENTS", event_schema_, {event(1, "a")}, entry(1, 5)).repeated, 1u);
  EXPECT_EQ(write("EVENTS", event_schema_, {event(1, "a")}, entry(2, 1)).rows, 1u);
}

TEST_F(RecordStoreTest, SourcesAndTablesProgressEachForItself) {
  open(events());
  open(counts());
  write("EVENTS", event_schema_, {event(1, "a")}, entry(1, 5), "one");
  EXPECT_EQ(write("EVENTS", event_schema_, {event(1, "a")}, entry(1, 5), "on").rows, 1u);
  EXPECT_EQ(write("COUNTS", count_schema_, {count("a", 1, 1, 1)}, entry(1, 5), "one").rows, 1u);
  auto progress = store_->progress("EVENTS", "onward");
  ASSERT_TRUE(progress.ok());
  EXPECT_FALSE(progress->has_value());
}

TEST_F(RecordStoreTest, OneWriteTakesManyEntriesOfManySources) {
  open(events());
  EventBatch a = batch_of(event_schema_, {event(1, "a"), event(1, "b")});
  EventBatch b = batch_of(event_schema_, {event(2, "c")});
  const std::vector<uint32_t> two{3, 8};
  const std::vector<uint32_t> one{0};
  std::vector<Rows> rows{
      {"x", entry(1, 1), &a, two}, {"y", entry(1, 1), &b, one}, {"x", entry(1, 2), &b, one}};
  auto written = store_->write("EVENTS", rows, Epoch{1});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 4u);
  EXPECT_EQ(**store_->progress("EVENTS", "x"), (RowId{entry(1, 2), 0}));
  EXPECT_EQ(**store_->progress("EVENTS", "y"), (RowId{entry(1, 1), 0}));
  EXPECT_EQ(store_->write("EVENTS", rows, Epoch{1})->repeated, 4u);
  std::swap(rows[0], rows[2]);
  auto backwards = store_->write("EVENTS", rows, Epoch{1});
  EXPECT_EQ(backwards.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(text_of(backwards.status()).find("1.1.3 comes behind 1.2.0"), std::string::npos)
      << backwards.status();
}

TEST_F(RecordStoreTest, AnOlderEpochIsRefusedForEver) {
  open(events());
  write("EVENTS", event_schema_, {event(1, "a")}, entry(3, 1));
  EventBatch batch = batch_of(event_schema_, {event(2, "b")});
  EXPECT_EQ(write_rows(*store_, "EVENTS", batch, entry(2, 9), "other").status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(store_->raise_fence(Epoch{7}).ok());
  ASSERT_TRUE(store_->raise_fence(Epoch{7}).ok());
  reopen();
  auto refused = write_rows(*store_, "EVENTS", batch, entry(6, 1));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(text_of(refused.status()).find("epoch 7 has begun"), std::string::npos);
  EXPECT_FALSE(store_->raise_fence(Epoch{6}).ok());
  EXPECT_TRUE(write_rows(*store_, "EVENTS", batch, entry(7, 1)).ok());
  EXPECT_EQ(scan("EVENTS").size(), 2u);
}

TEST_F(RecordStoreTest, AWriteThatDoesNotFitChangesNothing) {
  open(events());
  EventBatch other = batch_of(count_schema_, {count("a", 1, 1, 1)});
  EXPECT_EQ(write_rows(*store_, "EVENTS", other, entry(1, 1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EventBatch good = batch_of(event_schema_, {event(1, "a")});
  EXPECT_EQ(write_rows(*store_, "NONE", good, entry(1, 1)).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(write_rows(*store_, "EVENTS", good, entry(1, 1), "").ok());
  const Rows without_ids{"x", entry(1, 1), &good, {}};
  EXPECT_FALSE(store_->write("EVENTS", {&without_ids, 1}, Epoch{1}).ok());
  EXPECT_TRUE(scan("EVENTS").empty());
}

TEST_F(RecordStoreTest, ARowThatCannotBeStoredIsToldAndTheOthersGoOn) {
  open(counts());
  const std::string long_key(64 * 1024, 'k');
  Written written =
      write("COUNTS", count_schema_,
            {count("a", 1, 1, 1), count(long_key, 1, 1, 2), count("b", 1, 1, 3)}, entry(1, 1));
  EXPECT_EQ(written.rows, 2u);
  ASSERT_EQ(written.refused.size(), 1u);
  EXPECT_EQ(written.refused[0].row, 1u);
  EXPECT_NE(written.refused[0].reason.find("the primary key has"), std::string::npos);
  EXPECT_EQ(**store_->progress("COUNTS", "-1234/plan"), (RowId{entry(1, 1), 2}));

  open(events());
  written = write("EVENTS", event_schema_, {event(1, std::string(17 << 20, 'x')), event(2, "b")},
                  entry(1, 1));
  ASSERT_EQ(written.refused.size(), 1u);
  EXPECT_EQ(scan("EVENTS"), std::vector<TestRow>{event(2, "b")});
}

TEST_F(RecordStoreTest, RefusedRowsAreKeptOnceInATableOfTheStore) {
  open(counts());
  EXPECT_EQ(store_->tables()->size(), 1u) << "it is made when it is needed";
  const std::string key = std::string("\xff\0\"", 3) + std::string(64 * 1024, 'k');
  const std::vector<TestRow> rows{count("a", 1, 1, 10), count(key, 7, 2, 20), count("b", 1, 3, 30)};
  Written written = write("COUNTS", count_schema_, rows, entry(1, 4));
  ASSERT_EQ(written.refused.size(), 1u);
  const std::string shown = "\\\\xff\\\\x00\\\"" + std::string(1015, 'k') + "... (65539 bytes)";
  const std::vector<TestRow> expected{
      {20,
       {int64_t{20}, std::string("COUNTS"), std::string("-1234/plan"), std::string("1.4.1"),
        written.refused[0].reason,
        R"({"user":")" + shown + R"(","tenant":7,"count":2,"_timestamp":20})"}}};
  EXPECT_EQ(scan(kRefusedRowsTable), expected);
  EXPECT_EQ(row_count(*store_, kRefusedRowsTable), 1u);
  EXPECT_EQ(write("COUNTS", count_schema_, rows, entry(1, 4)).repeated, 3u);
  reopen();
  EXPECT_EQ(write("COUNTS", count_schema_, {count(key, 1, 1, 5)}, entry(1, 5)).refused.size(), 1u);
  EXPECT_EQ(scan(kRefusedRowsTable).size(), 2u);
  EXPECT_EQ(row_count(*store_, kRefusedRowsTable), 2u);
  EXPECT_EQ(row_count(*store_, "COUNTS"), 2u);

  // It may be dropped, and comes again.
  ASSERT_TRUE(store_->drop_table(kRefusedRowsTable).ok());
  EXPECT_EQ(store_->tables()->size(), 1u);
  EXPECT_EQ(write("COUNTS", count_schema_, {count(key, 1, 1, 5)}, entry(1, 6)).refused.size(), 1u);
  EXPECT_EQ(scan(kRefusedRowsTable).size(), 1u);
}

TEST_F(RecordStoreTest, OnlyTheStoreWritesToTheTableOfRefusedRows) {
  TableDefinition other = events();
  other.name = kRefusedRowsTable;
  EXPECT_EQ(store_->open_table(other).code(), absl::StatusCode::kInvalidArgument);
  TableDefinition kept = refused_rows_definition();
  kept.retention_ms = 100;
  open(kept);
  const std::string text;
  EventBatch batch = batch_of(kept.schema, {{1, {int64_t{1}, text, text, text, text, text}}});
  EXPECT_EQ(write_rows(*store_, kRefusedRowsTable, batch, entry(1, 1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  open(counts());
  write("COUNTS", count_schema_,
        {count(std::string(64 * 1024, 'k'), 1, 1, 10), count("a", 1, 1, 10)}, entry(1, 1));
  EXPECT_EQ(scan(kRefusedRowsTable).size(), 1u);
  EXPECT_EQ(store_->expire(Timestamp{111})->rows, 1u) << "with a retention if it was given one";
  EXPECT_EQ(row_count(*store_, kRefusedRowsTable), 0u);
}

// ---- rows that take rows away ----

TEST_F(RecordStoreTest, ARowThatIsTakenAwayIsGoneAndTheLastOfAKeyWins) {
  open(counts());
  write("COUNTS", count_schema_,
        {count("ann", 1, 1, 100), count("bob", 1, 1, 101), count("eve", 1, 1, 102)}, entry(1, 1));
  Written written = put_or_erase({{count("ann", 1, 9, 300), false},
                                  {count("bob", 1, 2, 200), true},
                                  {count("bob", 1, 3, 200), false},
                                  {count("eve", 1, 2, 200), false},
                                  {count("eve", 1, 3, 201), true},
                                  {count("new", 1, 1, 202), true},
                                  {count("new", 1, 1, 203), false},
                                  {count("nobody", 1, 1, 204), false}},
                                 entry(1, 2));
  EXPECT_EQ(written.rows, 8u);
  EXPECT_TRUE(written.refused.empty());
  EXPECT_EQ(scan("COUNTS"), std::vector<TestRow>{count("eve", 1, 3, 201)});
  EXPECT_EQ(row_count(*store_, "COUNTS"), 1u);
  EXPECT_EQ(**store_->progress("COUNTS", "-1234/plan"), (RowId{entry(1, 2), 7}));
  reopen();
  EXPECT_EQ(put_or_erase({{count("eve", 1, 9, 300), false}}, entry(1, 2)).repeated, 1u);
  EXPECT_EQ(row_count(*store_, "COUNTS"), 1u) << "what has taken effect once does not again";
  EXPECT_EQ(put_or_erase({{count("eve", 1, 9, 300), false}}, entry(1, 3)).rows, 1u);
  EXPECT_TRUE(scan("COUNTS").empty());
  std::vector<Value> key{std::string("eve"), int32_t{1}};
  EXPECT_EQ(store_->find("COUNTS", key, Timestamp{}).value(), nullptr);
}

TEST_F(RecordStoreTest, OfARowThatIsTakenAwayOnlyTheKeyCounts) {
  open(counts());
  const std::string& text = testing::store_backend().strange_text;
  std::vector<TestRow> rows{{1, {Value(), int32_t{1}, Value(), Value()}},
                            {2, {text, Value(), int64_t{2}, Value()}},
                            {3, {Value(), Value(), int64_t{3}, Value()}},
                            {4, {text, int32_t{1}, int64_t{4}, Value()}}};
  write("COUNTS", count_schema_, rows, entry(1, 1));
  Written written = put_or_erase({{{9, {Value(), int32_t{1}, int64_t{7}, int64_t{7}}}, false},
                                  {{9, {text, Value(), Value(), Value()}}, false},
                                  {{9, {Value(), Value(), Value(), int64_t{-5}}}, false},
                                  {count(std::string(64 * 1024, 'k'), 1, 1, 1), false},
                                  {count("\xff", 1, 1, 1), false}},
                                 entry(1, 2));
  EXPECT_EQ(written.rows, 5u);
  EXPECT_TRUE(written.refused.empty()) << written.refused[0].reason;
  EXPECT_EQ(scan("COUNTS"), std::vector<TestRow>{rows[3]});
  EXPECT_EQ(row_count(*store_, "COUNTS"), 1u);
}

TEST_F(RecordStoreTest, NothingIsTakenAwayFromATableWithoutAKey) {
  open(events());
  open(counts());
  EventBatch batch = batch_of(event_schema_, {event(1, "a"), event(2, "b")});
  const std::vector<uint32_t> ordinals{0, 1};
  const std::vector<uint8_t> second{0, 1};
  const std::vector<uint8_t> none{0, 0};
  const Rows away{"x", entry(1, 1), &batch, ordinals, second};
  EXPECT_EQ(store_->write("EVENTS", {&away, 1}, Epoch{1}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(scan("EVENTS").empty());
  const Rows come{"x", entry(1, 1), &batch, ordinals, none};
  EXPECT_TRUE(store_->write("EVENTS", {&come, 1}, Epoch{1}).ok());

  EventBatch counted = batch_of(count_schema_, {count("a", 1, 1, 1), count("b", 1, 1, 1)});
  const Rows short_of_one{"x", entry(1, 1), &counted, ordinals, std::span(second).first(1)};
  EXPECT_EQ(store_->write("COUNTS", {&short_of_one, 1}, Epoch{1}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- tables ----

TEST_F(RecordStoreTest, ColumnsAddedAtTheEndAreNullInOldRows) {
  open(events());
  write("EVENTS", event_schema_, {event(1, "a")}, entry(1, 1));
  auto before = store_->scan("EVENTS", {}, Timestamp{});
  std::vector<TestRow> seen_before;
  if (!testing::store_backend().changes_while_read) {
    seen_before = testing::read_all(**before).value();
    before->reset();
  }
  TableDefinition wider = events();
  wider.schema = schema_of({{"user", AttributeType::kString},
                            {"success", AttributeType::kBool},
                            {"region", AttributeType::kString}});
  open(wider);
  TestRow newer{2, {std::string("b"), false, std::string("EU")}};
  write("EVENTS", wider.schema, {newer}, entry(1, 2));
  if (testing::store_backend().changes_while_read) {
    seen_before = testing::read_all(**before).value();
    before->reset();
  }
  EXPECT_EQ(seen_before, std::vector<TestRow>{event(1, "a")});
  reopen();
  TestRow older{1, {std::string("a"), true, Value()}};
  EXPECT_EQ(scan("EVENTS"), (std::vector<TestRow>{older, newer}));
  EXPECT_EQ(store_->open_table(events()).code(), absl::StatusCode::kFailedPrecondition);
  open(wider);
}

TEST_F(RecordStoreTest, ADroppedTableIsGoneAndBeginsAfresh) {
  open(events());
  open(counts());
  write("EVENTS", event_schema_, {event(1, "a")}, entry(1, 1));
  write("COUNTS", count_schema_, {count("a", 1, 1, 1)}, entry(1, 1));
  ASSERT_TRUE(store_->drop_table("EVENTS").ok());
  EXPECT_EQ(store_->drop_table("EVENTS").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->scan("EVENTS", {}, Timestamp{}).status().code(), absl::StatusCode::kNotFound);
  reopen();
  ASSERT_EQ(store_->tables()->size(), 1u);
  open(events());
  EXPECT_TRUE(scan("EVENTS").empty());
  EXPECT_EQ(row_count(*store_, "EVENTS"), 0u);
  EXPECT_EQ(write("EVENTS", event_schema_, {event(1, "a")}, entry(1, 1)).rows, 1u);
  EXPECT_EQ(scan("COUNTS").size(), 1u);
}

TEST_F(RecordStoreTest, TablesAreListedWithRowsAndBytes) {
  open(events());
  open(counts());
  std::vector<TestRow> rows;
  for (int i = 0; i < 20000; ++i) {
    rows.push_back(event(i, std::to_string(i * 7919) + std::string(80, 'u')));
  }
  write("EVENTS", event_schema_, rows, entry(1, 1));
  auto tables = store_->tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 2u);
  EXPECT_EQ((*tables)[0].definition.name, "COUNTS");
  EXPECT_EQ((*tables)[0].definition.primary_key, counts().primary_key);
  EXPECT_EQ((*tables)[0].rows, 0u);
  EXPECT_EQ((*tables)[1].rows, 20000u);
  EXPECT_GT((*tables)[1].bytes, 20000u);
  EXPECT_LT((*tables)[1].bytes, 10'000'000u);
}

TEST_F(RecordStoreTest, KeysOfAnotherShapeAreRefused) {
  open(events());
  open(counts());
  for (const std::vector<Value>& key :
       {std::vector<Value>{}, {std::string("a")}, {std::string("a"), int64_t{1}}}) {
    EXPECT_EQ(store_->find("COUNTS", key, Timestamp{}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(store_->find("EVENTS", std::vector<Value>{}, Timestamp{}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- reading while others write ----

TEST_F(RecordStoreTest, AScanSeesTheTableAsItWas) {
  open(events());
  open(counts(1000));
  std::vector<TestRow> many;
  std::vector<TestRow> users;
  for (int i = 0; i < 3000; ++i) {
    many.push_back(event(i, "u"));
    users.push_back(count(std::to_string(i), 1, 1, i));
  }
  write("EVENTS", event_schema_, many, entry(1, 1));
  write("COUNTS", count_schema_, users, entry(1, 1));
  auto of_events = store_->scan("EVENTS", {}, Timestamp{});
  auto of_counts = store_->scan("COUNTS", {}, Timestamp{0});
  ASSERT_TRUE(of_events.ok() && of_counts.ok());
  ASSERT_TRUE((*of_events)->next().ok());
  write("EVENTS", event_schema_, {event(2999, "late")}, entry(1, 2));
  write("COUNTS", count_schema_, {count("2999", 1, 2, 5)}, entry(1, 2));
  ASSERT_TRUE(store_->expire(Timestamp{1'000'000}).ok());
  if (testing::store_backend().changes_while_read) {
    ASSERT_TRUE(store_->drop_table("EVENTS").ok());
  }
  EXPECT_EQ(testing::read_all(**of_events)->size(), 3000u - RecordCursor::kBatchRowsMax);
  store_.reset();  // a cursor may outlive its store
  EXPECT_EQ(testing::read_all(**of_counts).value(), users);
}

TEST_F(RecordStoreTest, BatchesOfAScanAreBoundedInBytes) {
  open(events());
  std::vector<TestRow> rows;
  for (int i = 0; i < 12; ++i) rows.push_back(event(i, std::string(400'000, 'x')));
  write("EVENTS", event_schema_, rows, entry(1, 1));
  auto cursor = store_->scan("EVENTS", {}, Timestamp{});
  auto first = (*cursor)->next();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->rows(), 3u);
  EXPECT_EQ(testing::read_all(**cursor)->size(), 9u);
}

TEST_F(RecordStoreTest, WritersReadersAndExpiryGoOnAtOnce) {
  open(events());
  open(counts(100));
  std::atomic<bool> done = false;
  auto writer = [this](std::string_view table, const SchemaPtr& schema, std::string source) {
    for (uint64_t i = 1; i <= 300; ++i) {
      TestRow row = table == "EVENTS"
                        ? event(static_cast<int64_t>(i), source)
                        : count(source, static_cast<int32_t>(i % 7), 1, static_cast<int64_t>(i));
      write(table, schema, {row}, entry(1, i), source);
    }
  };
  std::thread a(writer, "EVENTS", event_schema_, "a");
  std::thread c(writer, "COUNTS", count_schema_, "c");
  std::thread reader([this, &done] {
    for (int64_t now = 0; !done; ++now) {
      std::vector<TestRow> rows = scan("EVENTS");
      EXPECT_LE(rows.size(), 300u);
      scan("COUNTS", {}, Timestamp{now});
      EXPECT_TRUE(store_->expire(Timestamp{now}).ok());
      EXPECT_TRUE(store_->tables().ok());
    }
  });
  a.join();
  c.join();
  done = true;
  reader.join();
  EXPECT_EQ(scan("EVENTS").size(), 300u);
  EXPECT_EQ(row_count(*store_, "EVENTS"), 300u);
}

// ---- retention ----

TEST_F(RecordStoreTest, RowsOlderThanTheRetentionAreNeverShown) {
  open(events(100));
  open(counts(100));
  write("EVENTS", event_schema_, {event(899, "old"), event(900, "kept")}, entry(1, 1));
  write("COUNTS", count_schema_, {count("old", 1, 1, 899), count("kept", 1, 1, 900)}, entry(1, 1));
  const Timestamp now{1000};
  EXPECT_EQ(scan("EVENTS", {}, now), std::vector<TestRow>{event(900, "kept")});
  EXPECT_EQ(scan("COUNTS", {}, now), std::vector<TestRow>{count("kept", 1, 1, 900)});
  std::vector<Value> key{std::string("old"), int32_t{1}};
  EXPECT_EQ(store_->find("COUNTS", key, now).value(), nullptr);
  EXPECT_NE(store_->find("COUNTS", key, Timestamp{999}).value(), nullptr);
}

TEST_F(RecordStoreTest, ExpiryDropsABoundedNumberOfRowsACall) {
  constexpr uint32_t kMore = 10;
  open(events(100));
  open(counts(100));
  std::vector<TestRow> old_events;
  std::vector<TestRow> old_counts;
  for (uint32_t i = 0; i < RecordStore::kExpireRowsMax + kMore; ++i) {
    old_events.push_back(event(i % 50, "old"));
    old_counts.push_back(count(std::to_string(i), 1, 1, i % 50));
  }
  write("EVENTS", event_schema_, old_events, entry(1, 1));
  write("EVENTS", event_schema_, {event(5000, "new")}, entry(1, 2));
  write("COUNTS", count_schema_, old_counts, entry(1, 1));
  write("COUNTS", count_schema_, {count("5", 1, 2, 5000)}, entry(1, 2));

  auto expired = store_->expire(Timestamp{5000});
  ASSERT_TRUE(expired.ok()) << expired.status();
  EXPECT_EQ(expired->rows, 2 * RecordStore::kExpireRowsMax);
  EXPECT_TRUE(expired->more);
  EXPECT_EQ(row_count(*store_, "EVENTS"), kMore + 1);
  expired = store_->expire(Timestamp{5000});
  EXPECT_EQ(expired->rows, 2 * kMore - 1);
  EXPECT_FALSE(expired->more);
  EXPECT_EQ(store_->expire(Timestamp{5000})->rows, 0u);
  EXPECT_EQ(scan("EVENTS"), std::vector<TestRow>{event(5000, "new")});
  EXPECT_EQ(scan("COUNTS"), std::vector<TestRow>{count("5", 1, 2, 5000)});

  // Rows that come late are dropped too.
  write("EVENTS", event_schema_, {event(3, "late")}, entry(1, 3));
  EXPECT_EQ(store_->expire(Timestamp{5000})->rows, 1u);
  reopen();
  EXPECT_EQ(row_count(*store_, "EVENTS"), 1u);
  EXPECT_EQ(row_count(*store_, "COUNTS"), 1u);
}

}  // namespace
}  // namespace pollux
