// What a record store in PostgreSQL does beyond what every store does.
#include "storage/postgres_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "storage/refused_rows.h"
#include "tests/storage/postgres_testing.h"
#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::entry;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

class PostgresStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<RecordStore> open() {
    auto store = open_postgres_store(options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  TableDefinition logins() const { return {"LOGINS", schema_, {}, 0}; }
  TestRow login(const std::string& user, int32_t n) const { return {n, {user, n}}; }
  std::string run(const std::string& sql) { return server_.run(sql, options_.address.database); }
  absl::StatusOr<Written> write(RecordStore& store, const std::vector<TestRow>& rows, EntryId at,
                                const std::string& source = "plan") {
    return write_rows(store, "LOGINS", batch_of(schema_, rows), at, source);
  }

  PostgresServer& server_ = testing::postgres_server();
  PostgresStoreOptions options_ = testing::new_database(server_);
  SchemaPtr schema_ = schema_of({{"userName", AttributeType::kString}, {"n", AttributeType::kInt}});
};

TEST_F(PostgresStoreTest, ColumnsAreReal) {
  auto store = open();
  SchemaPtr schema = schema_of({{"userName", AttributeType::kString},
                                {"n", AttributeType::kInt},
                                {"big", AttributeType::kLong},
                                {"f", AttributeType::kFloat},
                                {"d", AttributeType::kDouble},
                                {"order", AttributeType::kBool}});
  ASSERT_TRUE(store->open_table({"All_Types", schema, {}, 0}).ok());
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<TestRow> rows{
      {5, {std::string("ann"), int32_t{-7}, int64_t{1} << 62, 0.1F, 0.1, true}},
      {6, {Value(), Value(), Value(), Value(), -inf, false}}};
  ASSERT_TRUE(write_rows(*store, "All_Types", batch_of(schema, rows), entry(1, 1)).ok());
  EXPECT_EQ(run("SELECT userName, n, big, f, d, \"order\", pollux_time FROM all_types "
                "ORDER BY pollux_time"),
            "ann|-7|4611686018427387904|0.1|0.1|t|5\n||||-Infinity|f|6\n");
  EXPECT_EQ(run("SELECT data_type FROM information_schema.columns WHERE table_name = 'all_types' "
                "ORDER BY ordinal_position"),
            "text\ninteger\nbigint\nreal\ndouble precision\nboolean\nbigint\nbigint\n");
  EXPECT_EQ(testing::scan_all(*store, "All_Types").value(), rows);
}

TEST_F(PostgresStoreTest, TwoWritersOfOneSourceWriteEachRowOnce) {
  auto a = open();
  auto b = open();
  ASSERT_TRUE(a->open_table(logins()).ok());
  constexpr uint64_t kEntries = 150;
  std::atomic<int> conflicts = 0;
  auto writer = [&](RecordStore& store) {
    for (uint64_t i = 1; i <= kEntries; ++i) {
      std::vector<TestRow> rows{login("x", static_cast<int32_t>(i)), login("\xff", 0),
                                login("y", 0)};
      auto written = write(store, rows, entry(1, i));
      while (absl::IsUnavailable(written.status())) {
        ++conflicts;
        written = write(store, rows, entry(1, i));
      }
      EXPECT_TRUE(written.ok()) << written.status();
    }
  };
  std::thread other([&] { writer(*b); });
  writer(*a);
  other.join();
  EXPECT_EQ(run("SELECT count(*), count(DISTINCT n) FROM logins"), "300|151\n");
  EXPECT_EQ(testing::row_count(*a, "LOGINS"), 2 * kEntries);
  EXPECT_EQ(run("SELECT count(*), count(DISTINCT row_id) FROM pollux_refused_rows_event_store"),
            "150|150\n");
}

TEST_F(PostgresStoreTest, AWriteGoesOnWhereADeadServerLeftIt) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "postgres");
  options_.timeout_ms = 5'000;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  const TestRow refused = login("\xff", 1);
  ASSERT_TRUE(write(*store, {login("before", 1), refused}, entry(1, 1)).ok());
  uint64_t all = 1;
  for (int kill = 0; kill < 3; ++kill) {
    std::atomic<bool> down = false;
    std::thread killer([&] {
      server.kill();
      down = true;
    });
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

TEST_F(PostgresStoreTest, AScanEndsWithAnErrorWhenItsServerDies) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "postgres");
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

TEST_F(PostgresStoreTest, ASilentServerCostsTheTimeoutAndNoMore) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  options_ = testing::options_of(server, "postgres");
  options_.timeout_ms = 300;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  server.pause();
  auto written = write(*store, {login("a", 1)}, entry(1, 1));
  EXPECT_TRUE(absl::IsUnavailable(written.status())) << written.status();
  server.resume();
  absl::StatusOr<Written> again = write(*store, {login("a", 1)}, entry(1, 1));
  for (int i = 0; i < 50 && !again.ok(); ++i) again = write(*store, {login("a", 1)}, entry(1, 1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(testing::scan_all(*store, "LOGINS").value().size(), 1U);
}

TEST_F(PostgresStoreTest, RowsThatAConstraintRefusesAreFoundAndTheOthersGoOn) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100)");
  std::vector<TestRow> rows;
  for (int32_t n = 90; n < 110; n += 3) rows.push_back(login("u", n));
  rows.push_back(login(std::string("zero\0byte", 9), 1));
  rows.push_back(login("\xff", 2));
  auto written = write(*store, rows, entry(1, 1));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 4U);
  ASSERT_EQ(written->refused.size(), 5U);
  EXPECT_EQ(written->refused[0].row, 4U);
  EXPECT_NE(written->refused[0].reason.find("small"), std::string::npos);
  EXPECT_NE(written->refused[4].reason.find("UTF-8"), std::string::npos);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "90\n93\n96\n99\n");
  EXPECT_EQ(write(*store, rows, entry(1, 1))->repeated, rows.size());
}

TEST_F(PostgresStoreTest, RowsThatAConstraintRefusesAreKeptWithItsReason) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100)");
  ASSERT_TRUE(write(*store, {login("a", 1), login("b", 200), login("\xff", 3)}, entry(1, 1)).ok());
  EXPECT_EQ(
      run("SELECT row_id, \"row\", reason LIKE '%small%' FROM pollux_refused_rows_event_store "
          "ORDER BY row_id"),
      "1.1.1|{\"userName\":\"b\",\"n\":200}|t\n1.1.2|{\"userName\":\"\\\\xff\",\"n\":3}|f\n");
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 2U);
  options_.name = kEventStoreWriteOptimised;
  auto other = open();
  TableDefinition others = logins();
  others.name = "OTHERS";
  ASSERT_TRUE(other->open_table(others).ok());
  ASSERT_TRUE(
      write_rows(*other, "OTHERS", batch_of(schema_, {login("\xff", 1)}), entry(1, 1)).ok());
  EXPECT_EQ(testing::row_count(*other, kRefusedRowsTable), 1U) << "each store has its own";
}

TEST_F(PostgresStoreTest, ARowIsToldWhereTheTableOfRefusedRowsRefusesItToo) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100)");
  ASSERT_TRUE(write(*store, {login("\xff", 1)}, entry(1, 1)).ok());
  const std::string kept = "pollux_refused_rows_event_store";
  run("ALTER TABLE " + kept + " ADD CONSTRAINT never CHECK (false) NOT VALID");
  auto written = write(*store, {login("a", 1), login("b", 200), login("\xff", 3)}, entry(1, 2));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  ASSERT_EQ(written->refused.size(), 2U);
  for (const RefusedRow& row : written->refused) {
    EXPECT_TRUE(row.reason.ends_with("nor does the table of refused rows take it")) << row.reason;
  }
  run("DROP TABLE " + kept);
  written = write(*store, {login("a", 2), login("\xff", 3)}, entry(1, 3));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "1\n2\n");
}

TEST_F(PostgresStoreTest, NamesThatTheDatabaseCannotTellApartAreRefused) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  auto opens = [&](const TableDefinition& definition) {
    return store->open_table(definition).code();
  };
  EXPECT_EQ(opens({"Logins", schema_, {}, 0}), absl::StatusCode::kFailedPrecondition);
  SchemaPtr twice = schema_of({{"user", AttributeType::kString}, {"USER", AttributeType::kString}});
  EXPECT_EQ(opens({"TWICE", twice, {}, 0}), absl::StatusCode::kInvalidArgument);
  SchemaPtr own = schema_of({{"pollux_time", AttributeType::kLong}});
  EXPECT_EQ(opens({"OWN", own, {}, 0}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(opens({"pollux_stores", schema_, {}, 0}), absl::StatusCode::kInvalidArgument);
  run("CREATE TABLE theirs (a integer)");
  EXPECT_EQ(opens({"THEIRS", schema_, {}, 0}), absl::StatusCode::kFailedPrecondition);
  options_.name = kEventStoreWriteOptimised;
  EXPECT_EQ(open()->open_table(logins()).code(), absl::StatusCode::kFailedPrecondition)
      << "of another store in the same database";
}

TEST_F(PostgresStoreTest, LongAndHostileNamesAreNames) {
  auto store = open();
  const std::string name(150, 'T');
  SchemaPtr schema = schema_of({{"a\"; DROP TABLE logins; --", AttributeType::kString},
                                {std::string(90, 'c') + "1", AttributeType::kString},
                                {std::string(90, 'c') + "2", AttributeType::kString}});
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(store->open_table({name, schema, {std::string(90, 'c') + "1"}, 0}).ok());
  const std::vector<TestRow> rows{
      {1, {std::string("'; DROP TABLE logins; --"), std::string("$1"), std::string("%s")}}};
  ASSERT_TRUE(write_rows(*store, name, batch_of(schema, rows), entry(1, 1), "'; --").ok());
  store = open();
  EXPECT_EQ(testing::scan_all(*store, name).value(), rows);
  EXPECT_TRUE(store->find(name, std::vector<Value>{std::string("$1")}, Timestamp{}).value());
  EXPECT_EQ(run("SELECT count(*) FROM logins"), "0\n");
}

TEST_F(PostgresStoreTest, AnotherNodesTablesAndColumnsAreSeen) {
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

TEST_F(PostgresStoreTest, ATableThatIsReadIsNotChangedAndKeepsNobodyWaiting) {
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

TEST_F(PostgresStoreTest, NoServerAndAWrongPasswordAreTold) {
  options_.timeout_ms = 2'000;
  PostgresStoreOptions nobody = options_;
  nobody.address.port = 1;
  EXPECT_TRUE(absl::IsUnavailable(open_postgres_store(nobody).status()));
  run("DROP ROLE IF EXISTS ada");
  run("CREATE ROLE ada LOGIN PASSWORD 'right'");
  PostgresStoreOptions ada = options_;
  ada.address.user = "ada";
  ada.address.password = "wrong";
  auto refused = open_postgres_store(ada);
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  EXPECT_EQ(refused.status().ToString().find("wrong"), std::string::npos);
}

TEST_F(PostgresStoreTest, SessionsAreUsedAgainAndNeverMoreThanAllowed) {
  options_.pool.max_active = 2;
  options_.pool.max_wait_ms = 200;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(write(*store, {login("x", 1)}, entry(1, i)).ok());
  const std::string sessions =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pollux EVENT_STORE' AND "
      "datname = current_database()";
  EXPECT_EQ(run(sessions), "1\n");
  auto first = store->scan("LOGINS", {}, Timestamp{});
  auto second = store->scan("LOGINS", {}, Timestamp{});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(store->tables().status()));
  first->reset();
  EXPECT_TRUE(store->tables().ok());
}

}  // namespace
}  // namespace pollux
