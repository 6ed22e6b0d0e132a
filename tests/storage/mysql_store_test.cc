// What a record store in MySQL or MariaDB does beyond what those in other databases do.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "storage/refused_rows.h"
#include "tests/storage/database_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::entry;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

class MysqlStoreTest : public testing::DatabaseStoreTest {};

TEST_F(MysqlStoreTest, ColumnsAreReal) {
  auto store = open();
  SchemaPtr schema = schema_of({{"userName", AttributeType::kString},
                                {"n", AttributeType::kInt},
                                {"big", AttributeType::kLong},
                                {"f", AttributeType::kFloat},
                                {"d", AttributeType::kDouble},
                                {"order", AttributeType::kBool}});
  ASSERT_TRUE(store->open_table({"All_Types", schema, {}, 0}).ok());
  const std::vector<TestRow> rows{
      {5, {std::string("ann"), int32_t{-7}, int64_t{1} << 62, 0.1F, 0.1, true}},
      {6, {Value(), Value(), Value(), Value(), Value(), false}}};
  ASSERT_TRUE(write_rows(*store, "All_Types", batch_of(schema, rows), entry(1, 1)).ok());
  EXPECT_EQ(run("SELECT userName, n, big, f, d, `order`, pollux_time FROM all_types "
                "ORDER BY pollux_time"),
            "ann|-7|4611686018427387904|0.1|0.1|1|5\nNULL|NULL|NULL|NULL|NULL|0|6\n");
  EXPECT_EQ(run("SELECT data_type FROM information_schema.columns WHERE table_name = 'all_types' "
                "AND table_schema = DATABASE() ORDER BY ordinal_position"),
            "longtext\nint\nbigint\nfloat\ndouble\ntinyint\nbigint\nbigint\n");
  EXPECT_EQ(testing::scan_all(*store, "All_Types").value(), rows);
}

TEST_F(MysqlStoreTest, FiniteNumbersComeBackBitForBitAndOthersAreRefused) {
  auto store = open();
  SchemaPtr schema = schema_of({{"d", AttributeType::kDouble}, {"f", AttributeType::kFloat}});
  ASSERT_TRUE(store->open_table({"NUMBERS", schema, {}, 0}).ok());
  using Doubles = std::numeric_limits<double>;
  using Floats = std::numeric_limits<float>;
  std::vector<TestRow> rows{{0, {0.0, 0.0F}},
                            {1, {Doubles::max(), Floats::max()}},
                            {2, {Doubles::denorm_min(), Floats::denorm_min()}},
                            {3, {Doubles::lowest(), Floats::min()}}};
  std::mt19937_64 random(1);
  while (rows.size() < 2'000) {
    const auto d = std::bit_cast<double>(random());
    const auto f = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isfinite(d) && std::isfinite(f)) {
      rows.push_back({static_cast<int64_t>(rows.size()), {d, f}});
    }
  }
  std::vector<TestRow> given = rows;
  given[0].values = {-0.0, -0.0F};  // the server knows one zero
  ASSERT_TRUE(write_rows(*store, "NUMBERS", batch_of(schema, given), entry(1, 1)).ok());
  auto read = testing::scan_all(*store, "NUMBERS");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(std::bit_cast<uint64_t>(std::get<double>((*read)[i].values[0])),
              std::bit_cast<uint64_t>(std::get<double>(rows[i].values[0])));
    EXPECT_EQ(std::bit_cast<uint32_t>(std::get<float>((*read)[i].values[1])),
              std::bit_cast<uint32_t>(std::get<float>(rows[i].values[1])));
  }
  const std::vector<TestRow> none{{1, {Doubles::quiet_NaN(), 1.0F}},
                                  {2, {-Doubles::infinity(), 1.0F}},
                                  {3, {1.0, Floats::infinity()}},
                                  {4, {1.0, 1.0F}}};
  auto written = write_rows(*store, "NUMBERS", batch_of(schema, none), entry(1, 2));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  EXPECT_EQ(written->refused.size(), 3U);
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 3U);
}

TEST_F(MysqlStoreTest, KeysThatMysqlWouldTakeForOneAreDifferent) {
  auto store = open();
  ASSERT_TRUE(store->open_table(users()).ok());
  const std::vector<std::string> names{"a",
                                       "A",
                                       "a ",
                                       "a\t",
                                       "\xc3\xa4",
                                       "a\xcc\x88",
                                       "",
                                       " ",
                                       std::string("a\0", 2),
                                       std::string(2'500, 'k'),
                                       std::string(2'499, 'k') + "K"};
  std::vector<TestRow> rows;
  for (const std::string& name : names) {
    rows.push_back({static_cast<int64_t>(rows.size()), {name, static_cast<int32_t>(rows.size())}});
  }
  rows.push_back({static_cast<int64_t>(rows.size()), {Value(), int32_t{99}}});
  ASSERT_TRUE(write(*store, rows, entry(1, 1), "USERS").ok());
  ASSERT_TRUE(write(*store, rows, entry(1, 2), "USERS").ok());
  EXPECT_EQ(testing::scan_all(*store, "USERS").value(), rows);
  EXPECT_EQ(testing::row_count(*store, "USERS"), rows.size());
  for (const TestRow& row : rows) {
    auto found = store->find("USERS", {&row.values[0], 1}, Timestamp{});
    ASSERT_TRUE(found.ok() && *found != nullptr) << found.status();
    EXPECT_EQ(testing::rows_of(**found), std::vector<TestRow>{row});
  }
  EXPECT_EQ(run("SELECT n FROM users WHERE userName = 'A'"), "1\n") << "case matters in SQL too";
}

TEST_F(MysqlStoreTest, AnIndexOfSomebodyElseRefusesARowAndChangesNoOther) {
  auto store = open();
  ASSERT_TRUE(store->open_table(users()).ok());
  run("ALTER TABLE users ADD UNIQUE (n)");
  ASSERT_TRUE(write(*store, {login("ann", 1), login("bob", 2)}, entry(1, 1), "USERS").ok());
  auto written =
      write(*store, {login("eve", 1), login("bob", 3), login("joe", 4)}, entry(1, 2), "USERS");
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 2U);
  ASSERT_EQ(written->refused.size(), 1U);
  EXPECT_EQ(written->refused[0].row, 0U);
  EXPECT_EQ(run("SELECT userName, n FROM users ORDER BY n"), "ann|1\nbob|3\njoe|4\n");
  EXPECT_EQ(testing::row_count(*store, "USERS"), 3U);
  // What goes makes room for what comes.
  const EventBatch batch = batch_of(schema_, {login("new", 1), login("ann", 0)});
  const std::vector<uint32_t> ordinals{0, 1};
  const std::vector<uint8_t> erased{0, 1};
  const Rows both{"plan", entry(1, 3), &batch, ordinals, erased};
  ASSERT_TRUE(store->write("USERS", {&both, 1}, Epoch{1}).ok());
  EXPECT_EQ(run("SELECT userName FROM users WHERE n = 1"), "new\n");
}

TEST_F(MysqlStoreTest, ARowLargerThanTheServersPacketsIsRefused) {
  auto server = own_server({"max-allowed-packet=1M"});
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  std::vector<TestRow> rows(10, login(std::string(600'000, 'x'), 1));
  rows.push_back(login(std::string(1'100'000, 'x'), 1));
  auto written = write(*store, rows, entry(1, 1));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 10U);
  ASSERT_EQ(written->refused.size(), 1U);
  EXPECT_NE(written->refused[0].reason.find("max_allowed_packet"), std::string::npos);
  EXPECT_EQ(testing::scan_all(*store, "LOGINS")->size(), 10U);
}

TEST_F(MysqlStoreTest, WhatACrashHasLeftOfATableIsCleanedUp) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(write(*store, {login("x", 1)}, entry(1, 5)).ok());
  // As between the database's and the catalogue's part of a drop, or of a making the other way.
  run("DROP TABLE logins");
  EXPECT_TRUE(store->tables()->empty());
  EXPECT_TRUE(absl::IsNotFound(write(*store, {login("x", 1)}, entry(1, 6)).status()));
  ASSERT_TRUE(store->open_table(logins()).ok());
  EXPECT_EQ(write(*store, {login("x", 1)}, entry(1, 5))->rows, 1U) << "it begins afresh";
  // As between the two parts of a widening.
  run("ALTER TABLE logins ADD COLUMN more BOOLEAN");
  SchemaPtr wider = schema_of({{"userName", AttributeType::kString},
                               {"n", AttributeType::kInt},
                               {"more", AttributeType::kBool}});
  ASSERT_TRUE(store->open_table({"LOGINS", wider, {}, 0}).ok());
  EXPECT_EQ(testing::scan_all(*store, "LOGINS").value()[0].values.size(), 3U);
}

TEST_F(MysqlStoreTest, AServerThatTakesNoWritesIsUnavailable) {
  run("GRANT ALL ON " + options_.address.database + ".* TO ada@'%' IDENTIFIED BY 'right'");
  auto root = open();
  ASSERT_TRUE(root->open_table(logins()).ok());
  options_.address.user = "ada";
  options_.address.password = "right";
  auto ada = open();
  ASSERT_TRUE(write(*ada, {login("x", 1)}, entry(1, 1)).ok());
  run("SET GLOBAL read_only = 1");
  for (RecordStore* store : {ada.get(), root.get()}) {
    auto refused = write(*store, {login("x", 2)}, entry(1, 2));
    EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
    EXPECT_NE(refused.status().message().find("read"), std::string::npos) << refused.status();
  }
  auto opened = testing::open_store(options_, store_);
  EXPECT_TRUE(absl::IsUnavailable(opened.status())) << opened.status();
  run("SET GLOBAL read_only = 0");
  EXPECT_EQ(write(*ada, {login("x", 2)}, entry(1, 2))->rows, 1U);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "1\n2\n");
}

TEST_F(MysqlStoreTest, AServerThatForgetsIsRefused) {
  auto server = own_server({"innodb-flush-log-at-trx-commit=2"});
  auto opened = testing::open_store(options_, store_);
  EXPECT_TRUE(absl::IsUnavailable(opened.status())) << opened.status();
  EXPECT_NE(opened.status().message().find("innodb_flush_log_at_trx_commit"), std::string::npos);
}

TEST_F(MysqlStoreTest, AWriteOfManyRowsIsSeveralStatementsAndAllOfThem) {
  auto store = open();
  std::vector<Attribute> columns;
  for (int i = 0; i < 60; ++i) columns.push_back({"c" + std::to_string(i), AttributeType::kInt});
  SchemaPtr schema = schema_of(columns);
  ASSERT_TRUE(store->open_table({"WIDE", schema, {"c0"}, 0}).ok());
  std::vector<TestRow> rows;
  for (int32_t i = 0; i < 3'333; ++i) rows.push_back({i, std::vector<Value>(60, Value(i))});
  ASSERT_TRUE(write_rows(*store, "WIDE", batch_of(schema, rows), entry(1, 1)).ok());
  EXPECT_EQ(testing::scan_all(*store, "WIDE").value(), rows);
  EXPECT_EQ(testing::row_count(*store, "WIDE"), rows.size());
}

TEST_F(MysqlStoreTest, ColumnsThatMysqlCannotHaveAreRefused) {
  auto store = open();
  for (const char* name : {"pollux_key", "blank ", "\xf0\x9f\x98\x80"}) {
    SchemaPtr schema = schema_of({{name, AttributeType::kLong}});
    EXPECT_EQ(store->open_table({"T", schema, {}, 0}).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(MysqlStoreTest, TheTableOfRefusedRowsIsMadeAnewWhereItIsGone) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(write(*store, {login("\xff", 1)}, entry(1, 1)).ok());
  run("DROP TABLE pollux_refused_rows_event_store");
  ASSERT_TRUE(write(*store, {login("a", 2), login("\xff", 3)}, entry(1, 2)).ok());
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 1U);
}

}  // namespace
}  // namespace pollux
