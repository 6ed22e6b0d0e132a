// What a record store in MySQL or MariaDB does beyond what every store does.
#include "storage/mysql_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "storage/refused_rows.h"
#include "tests/storage/mysql_testing.h"
#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::entry;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

class MysqlStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<RecordStore> open() {
    auto store = open_mysql_store(options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  TableDefinition logins() const { return {"LOGINS", schema_, {}, 0}; }
  TableDefinition users() const { return {"USERS", schema_, {"userName"}, 0}; }
  TestRow login(const std::string& user, int32_t n) const { return {n, {user, n}}; }
  /// Columns are parted by tabs.
  std::string run(const std::string& sql) {
    return server_.run("USE " + options_.address.database + "; " + sql);
  }
  absl::StatusOr<Written> write(RecordStore& store, const std::vector<TestRow>& rows, EntryId at,
                                std::string_view table = "LOGINS") {
    return write_rows(store, table, batch_of(schema_, rows), at, "plan");
  }

  MariadbServer& server_ = testing::mariadb_server();
  MysqlStoreOptions options_ = testing::new_database(server_);
  SchemaPtr schema_ = schema_of({{"userName", AttributeType::kString}, {"n", AttributeType::kInt}});
};

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
            "ann\t-7\t4611686018427387904\t0.1\t0.1\t1\t5\nNULL\tNULL\tNULL\tNULL\tNULL\t0\t6\n");
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

TEST_F(MysqlStoreTest, TwoWritersOfOneSourceWriteEachRowOnce) {
  auto a = open();
  auto b = open();
  ASSERT_TRUE(a->open_table(logins()).ok());
  constexpr uint64_t kEntries = 100;
  auto writer = [&](RecordStore& store) {
    for (uint64_t i = 1; i <= kEntries; ++i) {
      std::vector<TestRow> rows{login("x", static_cast<int32_t>(i)), login("\xff", 0),
                                login("y", 0)};
      auto written = write(store, rows, entry(1, i));
      while (absl::IsUnavailable(written.status())) written = write(store, rows, entry(1, i));
      EXPECT_TRUE(written.ok()) << written.status();
    }
  };
  std::thread other([&] { writer(*b); });
  writer(*a);
  other.join();
  EXPECT_EQ(run("SELECT COUNT(*), COUNT(DISTINCT n) FROM logins"), "200\t101\n");
  EXPECT_EQ(testing::row_count(*a, "LOGINS"), 2 * kEntries);
  EXPECT_EQ(run("SELECT COUNT(*), COUNT(DISTINCT row_id) FROM pollux_refused_rows_event_store"),
            "100\t100\n");
}

TEST_F(MysqlStoreTest, WritersOfManySourcesCountTheSameKeysExactly) {
  auto a = open();
  auto b = open();
  ASSERT_TRUE(a->open_table(users()).ok());
  auto writer = [&](RecordStore& store, const std::string& source, uint32_t seed) {
    std::mt19937 random(seed);
    for (uint64_t i = 1; i <= 100; ++i) {
      std::vector<TestRow> rows;
      std::vector<uint8_t> erased;
      for (int left = 8; left != 0; --left) {
        rows.push_back(login(std::to_string(random() % 20), static_cast<int32_t>(random() % 9)));
        erased.push_back(static_cast<uint8_t>(random() % 2));
      }
      const EventBatch batch = batch_of(schema_, rows);
      const std::vector<uint32_t> ordinals = testing::ordinals_for(batch);
      const Rows some{source, entry(1, i), &batch, ordinals, erased};
      auto written = store.write("USERS", {&some, 1}, Epoch{1});
      while (absl::IsUnavailable(written.status())) {
        written = store.write("USERS", {&some, 1}, Epoch{1});
      }
      EXPECT_TRUE(written.ok()) << written.status();
    }
  };
  std::thread other([&] { writer(*b, "b", 1); });
  writer(*a, "a", 2);
  other.join();
  EXPECT_EQ(testing::scan_all(*a, "USERS")->size(), testing::row_count(*a, "USERS"));
}

TEST_F(MysqlStoreTest, AWriteGoesOnWhereADeadServerLeftIt) {
  MariadbServer server;
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "mysql");
  options_.timeout_ms = 5'000;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  const TestRow refused = login("\xff", 1);
  ASSERT_TRUE(write(*store, {login("before", 1), refused}, entry(1, 1)).ok());
  uint64_t all = 1;
  for (int kill = 0; kill < 3; ++kill) {
    std::thread killer([&] { server.kill(); });
    const uint64_t first = 2 + static_cast<uint64_t>(kill) * 1'000'000;
    uint64_t next = first;
    absl::Status failed;
    while (failed.ok()) {
      failed = write(*store, {login("during", 1), refused}, entry(1, ++next)).status();
    }
    EXPECT_TRUE(absl::IsUnavailable(failed)) << failed;
    killer.join();
    ASSERT_TRUE(server.start());
    auto again = write(*store, {login("during", 1), refused}, entry(1, next));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->rows + again->refused.size() + again->repeated, 2U);
    auto reached = store->progress("LOGINS", "plan");
    ASSERT_TRUE(reached.ok() && reached->has_value()) << reached.status();
    EXPECT_EQ(**reached, (RowId{entry(1, next), 1}));
    all += next - first;
    for (std::string_view table : {std::string_view("LOGINS"), kRefusedRowsTable}) {
      auto rows = testing::scan_all(*store, table);
      ASSERT_TRUE(rows.ok()) << rows.status();
      EXPECT_EQ(rows->size(), all);
      EXPECT_EQ(testing::row_count(*store, table), all);
    }
  }
}

TEST_F(MysqlStoreTest, AScanEndsWithAnErrorWhenItsServerDies) {
  MariadbServer server;
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "mysql");
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  std::vector<TestRow> rows(5'000, login("x", 1));
  ASSERT_TRUE(write(*store, rows, entry(1, 1)).ok());
  auto cursor = store->scan("LOGINS", {}, Timestamp{});
  ASSERT_TRUE(cursor.ok() && (*cursor)->next().ok());
  server.kill();
  EXPECT_FALSE(testing::read_all(**cursor).ok());
  cursor->reset();  // it has a transaction that is no more
  ASSERT_TRUE(server.start());
  EXPECT_EQ(testing::scan_all(*store, "LOGINS").value().size(), rows.size());
}

TEST_F(MysqlStoreTest, ASilentServerCostsTheTimeoutAndNoMore) {
  MariadbServer server;
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "mysql");
  auto patient = open();
  ASSERT_TRUE(patient->open_table(logins()).ok());
  options_.timeout_ms = 300;
  auto store = open_mysql_store(options_);
  while (!store.ok()) store = open_mysql_store(options_);  // where both cores are busy
  server.pause();
  EXPECT_TRUE(absl::IsUnavailable(write(**store, {login("a", 1)}, entry(1, 1)).status()));
  server.resume();
  ASSERT_TRUE(write(*patient, {login("a", 1)}, entry(1, 1)).ok());
  EXPECT_EQ(testing::scan_all(*patient, "LOGINS").value().size(), 1U);
}

TEST_F(MysqlStoreTest, RowsThatAConstraintRefusesAreKeptAndTheOthersGoOn) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100), MODIFY userName VARCHAR(5)");
  std::vector<TestRow> rows;
  for (int32_t n = 90; n < 110; n += 3) rows.push_back(login("u", n));
  rows.push_back(login("longer than five", 1));
  rows.push_back(login("\xff", 2));
  auto written = write(*store, rows, entry(1, 1));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 4U);
  ASSERT_EQ(written->refused.size(), 5U);
  EXPECT_EQ(written->refused[0].row, 4U);
  EXPECT_NE(written->refused[0].reason.find("small"), std::string::npos);
  EXPECT_NE(written->refused[3].reason.find("too long"), std::string::npos);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "90\n93\n96\n99\n");
  EXPECT_EQ(write(*store, rows, entry(1, 1))->repeated, rows.size());
  EXPECT_EQ(run("SELECT row_id, `row` FROM pollux_refused_rows_event_store WHERE row_id = '1.1.4'"),
            "1.1.4\t{\"userName\":\"u\",\"n\":102}\n");
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 5U);
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
  EXPECT_EQ(run("SELECT userName, n FROM users ORDER BY n"), "ann\t1\nbob\t3\njoe\t4\n");
  EXPECT_EQ(testing::row_count(*store, "USERS"), 3U);
  // What goes makes room for what comes.
  const EventBatch batch = batch_of(schema_, {login("new", 1), login("ann", 0)});
  const std::vector<uint32_t> ordinals{0, 1};
  const std::vector<uint8_t> erased{0, 1};
  const Rows both{"plan", entry(1, 3), &batch, ordinals, erased};
  ASSERT_TRUE(store->write("USERS", {&both, 1}, Epoch{1}).ok());
  EXPECT_EQ(run("SELECT userName FROM users WHERE n = 1"), "new\n");
}

TEST_F(MysqlStoreTest, ARowIsToldWhereTheTableOfRefusedRowsRefusesItToo) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(write(*store, {login("\xff", 1)}, entry(1, 1)).ok());
  run("DELETE FROM pollux_refused_rows_event_store; "
      "ALTER TABLE pollux_refused_rows_event_store ADD CONSTRAINT never CHECK (false)");
  auto written = write(*store, {login("a", 1), login("\xff", 3)}, entry(1, 2));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  ASSERT_EQ(written->refused.size(), 1U);
  EXPECT_TRUE(written->refused[0].reason.ends_with("nor does the table of refused rows take it"));
  run("DROP TABLE pollux_refused_rows_event_store");
  ASSERT_TRUE(write(*store, {login("a", 2), login("\xff", 3)}, entry(1, 3)).ok());
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 1U) << "it was made anew";
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "1\n2\n");
}

TEST_F(MysqlStoreTest, ARowLargerThanTheServersPacketsIsRefused) {
  MariadbServer server({"max-allowed-packet=1M"});
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "mysql");
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

TEST_F(MysqlStoreTest, NamesThatTheDatabaseCannotHaveAreRefused) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  auto opens = [&](const TableDefinition& definition) {
    return store->open_table(definition).code();
  };
  EXPECT_EQ(opens({"Logins", schema_, {}, 0}), absl::StatusCode::kFailedPrecondition);
  for (const std::vector<Attribute>& columns :
       {std::vector<Attribute>{{"user", AttributeType::kString}, {"USER", AttributeType::kString}},
        {{"pollux_time", AttributeType::kLong}},
        {{"pollux_key", AttributeType::kLong}},
        {{"blank ", AttributeType::kLong}},
        {{"\xf0\x9f\x98\x80", AttributeType::kLong}},
        {{"\xff", AttributeType::kLong}}}) {
    EXPECT_EQ(opens({"T", schema_of(columns), {}, 0}), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(opens({"pollux_stores", schema_, {}, 0}), absl::StatusCode::kInvalidArgument);
  run("CREATE TABLE theirs (a integer)");
  EXPECT_EQ(opens({"THEIRS", schema_, {}, 0}), absl::StatusCode::kFailedPrecondition);
  options_.name = kEventStoreWriteOptimised;
  EXPECT_EQ(open()->open_table(logins()).code(), absl::StatusCode::kFailedPrecondition)
      << "of another store in the same database";
}

TEST_F(MysqlStoreTest, LongAndHostileNamesAndValuesAreNothingElse) {
  options_.name = "x'; DROP TABLE logins; --";
  auto store = open();
  const std::string name(150, 'T');
  SchemaPtr schema = schema_of({{"a`; DROP TABLE logins; -- ?", AttributeType::kString},
                                {std::string(90, 'c') + "1", AttributeType::kString},
                                {std::string(90, 'c') + "2", AttributeType::kString}});
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(store->open_table({name, schema, {std::string(90, 'c') + "1"}, 0}).ok());
  const std::vector<TestRow> rows{
      {1, {std::string("'; DROP TABLE logins; --"), std::string("\\'?"), std::string("%s\\")}}};
  const std::string source = "'; DROP TABLE logins; -- \\";
  ASSERT_TRUE(write_rows(*store, name, batch_of(schema, rows), entry(1, 1), source).ok());
  store = open();
  EXPECT_EQ(testing::scan_all(*store, name).value(), rows);
  EXPECT_EQ(**store->progress(name, source), (RowId{entry(1, 1), 0}));
  EXPECT_FALSE(store->progress(name, source + " ")->has_value());
  EXPECT_TRUE(store->find(name, std::vector<Value>{std::string("\\'?")}, Timestamp{}).value());
  EXPECT_EQ(run("SELECT COUNT(*) FROM logins"), "0\n");
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

TEST_F(MysqlStoreTest, AnotherNodesTablesAndColumnsAreSeen) {
  auto a = open();
  auto b = open();
  ASSERT_TRUE(a->open_table(logins()).ok());
  ASSERT_TRUE(write(*b, {login("x", 1)}, entry(1, 1)).ok());
  SchemaPtr wider = schema_of({{"userName", AttributeType::kString},
                               {"n", AttributeType::kInt},
                               {"more", AttributeType::kBool}});
  ASSERT_TRUE(b->open_table({"LOGINS", wider, {}, 60'000}).ok());
  ASSERT_EQ(a->tables()->size(), 1U);
  EXPECT_EQ(a->tables()->at(0).definition.retention_ms, 60'000);
  EXPECT_EQ(a->tables()->at(0).definition.schema->size(), 3U);
}

TEST_F(MysqlStoreTest, ATableThatIsReadIsNotChangedAndKeepsNobodyWaiting) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(write(*store, {login("x", 1)}, entry(1, 1)).ok());
  auto cursor = store->scan("LOGINS", {}, Timestamp{});
  ASSERT_TRUE(cursor.ok());
  EXPECT_TRUE(absl::IsUnavailable(store->drop_table("LOGINS")));
  EXPECT_TRUE(write(*store, {login("x", 2)}, entry(1, 2)).ok());
  EXPECT_EQ(testing::read_all(**cursor).value().size(), 1U);
  cursor->reset();
  EXPECT_TRUE(store->drop_table("LOGINS").ok());
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
  auto opened = open_mysql_store(options_);
  EXPECT_TRUE(absl::IsUnavailable(opened.status())) << opened.status();
  run("SET GLOBAL read_only = 0");
  EXPECT_EQ(write(*ada, {login("x", 2)}, entry(1, 2))->rows, 1U);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "1\n2\n");
}

TEST_F(MysqlStoreTest, AServerThatForgetsIsRefused) {
  MariadbServer server;
  server.settings().emplace_back("innodb-flush-log-at-trx-commit=2");
  ASSERT_TRUE(server.start());
  auto opened = open_mysql_store(testing::options_of(server, "mysql"));
  EXPECT_TRUE(absl::IsUnavailable(opened.status())) << opened.status();
  EXPECT_NE(opened.status().message().find("innodb_flush_log_at_trx_commit"), std::string::npos);
}

TEST_F(MysqlStoreTest, NoServerAndAWrongPasswordAreTold) {
  options_.timeout_ms = 5'000;
  MysqlStoreOptions nobody = options_;
  nobody.address.port = 1;
  EXPECT_TRUE(absl::IsUnavailable(open_mysql_store(nobody).status()));
  run("CREATE OR REPLACE USER eve@'%' IDENTIFIED BY 'right'");
  MysqlStoreOptions eve = options_;
  eve.address.user = "eve";
  eve.address.password = "wrong";
  auto refused = open_mysql_store(eve);
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  EXPECT_EQ(refused.status().ToString().find("wrong"), std::string::npos);
}

TEST_F(MysqlStoreTest, SessionsAreUsedAgainAndNeverMoreThanAllowed) {
  options_.pool.max_active = 2;
  options_.pool.max_wait_ms = 200;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(write(*store, {login("x", 1)}, entry(1, i)).ok());
  const std::string sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" +
                               options_.address.database + "' AND id <> CONNECTION_ID()";
  EXPECT_EQ(run(sessions), "1\n");
  auto first = store->scan("LOGINS", {}, Timestamp{});
  auto second = store->scan("LOGINS", {}, Timestamp{});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(store->tables().status()));
  first->reset();
  EXPECT_TRUE(store->tables().ok());
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

}  // namespace
}  // namespace pollux
