// What a record store in a database of any kind does beyond what every store does.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "storage/refused_rows.h"
#include "tests/storage/database_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::DatabaseStoreTest;
using testing::entry;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

TEST_F(DatabaseStoreTest, TwoWritersOfOneSourceWriteEachRowOnce) {
  auto a = open();
  auto b = open();
  ASSERT_TRUE(a->open_table(logins()).ok());
  constexpr uint64_t kEntries = 150;
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
  EXPECT_EQ(run("SELECT COUNT(*), COUNT(DISTINCT n) FROM logins"), "300|151\n");
  EXPECT_EQ(testing::row_count(*a, "LOGINS"), 2 * kEntries);
  EXPECT_EQ(run("SELECT COUNT(*), COUNT(DISTINCT row_id) FROM pollux_refused_rows_event_store"),
            "150|150\n");
}

TEST_F(DatabaseStoreTest, WritersOfManySourcesCountTheSameKeysExactly) {
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

TEST_F(DatabaseStoreTest, AWriteGoesOnWhereADeadServerLeftIt) {
  auto server = own_server();
  options_.timeout_ms = 5'000;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  const TestRow refused = login("\xff", 1);
  ASSERT_TRUE(write(*store, {login("before", 1), refused}, entry(1, 1)).ok());
  uint64_t all = 1;
  for (int kill = 0; kill < 3; ++kill) {
    std::thread killer([&] { server->kill(); });
    const uint64_t first = 2 + static_cast<uint64_t>(kill) * 1'000'000;
    uint64_t next = first;
    absl::Status failed;
    while (failed.ok()) {
      failed = write(*store, {login("during", 1), refused}, entry(1, ++next)).status();
    }
    EXPECT_TRUE(absl::IsUnavailable(failed)) << failed;
    killer.join();
    ASSERT_TRUE(server->start());
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

TEST_F(DatabaseStoreTest, AScanEndsWithAnErrorWhenItsServerDies) {
  auto server = own_server();
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  std::vector<TestRow> rows(5'000, login("x", 1));
  ASSERT_TRUE(write(*store, rows, entry(1, 1)).ok());
  auto cursor = store->scan("LOGINS", {}, Timestamp{});
  ASSERT_TRUE(cursor.ok() && (*cursor)->next().ok());
  server->kill();
  EXPECT_FALSE(testing::read_all(**cursor).ok());
  cursor->reset();  // it has a transaction that is no more
  ASSERT_TRUE(server->start());
  EXPECT_EQ(testing::scan_all(*store, "LOGINS").value().size(), rows.size());
}

TEST_F(DatabaseStoreTest, ASilentServerCostsTheTimeoutAndNoMore) {
  auto server = own_server();
  auto patient = open();
  ASSERT_TRUE(patient->open_table(logins()).ok());
  options_.timeout_ms = 300;
  auto store = testing::open_store(options_, store_);
  while (!store.ok()) store = testing::open_store(options_, store_);  // both cores are busy
  server->pause();
  auto late = write(**store, {login("a", 1)}, entry(1, 1));
  EXPECT_TRUE(absl::IsUnavailable(late.status())) << late.status();
  server->resume();
  ASSERT_TRUE(write(*patient, {login("a", 1)}, entry(1, 1)).ok());
  EXPECT_EQ(testing::scan_all(*patient, "LOGINS").value().size(), 1U);
  auto again = write(**store, {login("a", 1)}, entry(1, 1));
  for (int i = 0; i < 50 && !again.ok(); ++i) again = write(**store, {login("a", 1)}, entry(1, 1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->repeated, 1U);
}

TEST_F(DatabaseStoreTest, RowsThatAConstraintRefusesAreFoundAndTheOthersGoOn) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100), " +
      testing::database_backend().shorten_user_name);
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
  EXPECT_NE(written->refused[4].reason.find("UTF-8"), std::string::npos);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "90\n93\n96\n99\n");
  EXPECT_EQ(write(*store, rows, entry(1, 1))->repeated, rows.size());
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 5U);
}

TEST_F(DatabaseStoreTest, RowsThatAConstraintRefusesAreKeptWithItsReason) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100)");
  ASSERT_TRUE(write(*store, {login("a", 1), login("b", 200), login("\xff", 3)}, entry(1, 1)).ok());
  const std::string quote(1, testing::database_backend().quote);
  EXPECT_EQ(run("SELECT row_id, REPLACE(" + quote + "row" + quote +
                ", CHR(92), '/'), CASE WHEN reason LIKE '%small%' THEN 'small' ELSE 'other' END "
                "FROM pollux_refused_rows_event_store ORDER BY row_id"),
            "1.1.1|{\"userName\":\"b\",\"n\":200}|small\n"
            "1.1.2|{\"userName\":\"//xff\",\"n\":3}|other\n");
  EXPECT_EQ(testing::row_count(*store, kRefusedRowsTable), 2U);
  store_ = kEventStoreWriteOptimised;
  auto other = open();
  TableDefinition others = logins();
  others.name = "OTHERS";
  ASSERT_TRUE(other->open_table(others).ok());
  ASSERT_TRUE(write(*other, {login("\xff", 1)}, entry(1, 1), "OTHERS").ok());
  EXPECT_EQ(testing::row_count(*other, kRefusedRowsTable), 1U) << "each store has its own";
}

TEST_F(DatabaseStoreTest, ARowIsToldWhereTheTableOfRefusedRowsRefusesItToo) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  run("ALTER TABLE logins ADD CONSTRAINT small CHECK (n < 100)");
  ASSERT_TRUE(write(*store, {login("\xff", 1)}, entry(1, 1)).ok());
  run("DELETE FROM pollux_refused_rows_event_store; "
      "ALTER TABLE pollux_refused_rows_event_store ADD CONSTRAINT never CHECK (false)");
  auto written = write(*store, {login("a", 1), login("b", 200), login("\xff", 3)}, entry(1, 2));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  ASSERT_EQ(written->refused.size(), 2U);
  for (const RefusedRow& row : written->refused) {
    EXPECT_TRUE(row.reason.ends_with("nor does the table of refused rows take it")) << row.reason;
  }
  run("DROP TABLE pollux_refused_rows_event_store");
  written = write(*store, {login("a", 2), login("\xff", 3)}, entry(1, 3));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  EXPECT_EQ(run("SELECT n FROM logins ORDER BY n"), "1\n2\n");
}

TEST_F(DatabaseStoreTest, NamesThatTheDatabaseCannotTellApartAreRefused) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  auto opens = [&](const TableDefinition& definition) {
    return store->open_table(definition).code();
  };
  EXPECT_EQ(opens({"Logins", schema_, {}, 0}), absl::StatusCode::kFailedPrecondition);
  for (const std::vector<Attribute>& columns :
       {std::vector<Attribute>{{"user", AttributeType::kString}, {"USER", AttributeType::kString}},
        {{"pollux_time", AttributeType::kLong}},
        {{"\xff", AttributeType::kLong}}}) {
    EXPECT_EQ(opens({"T", schema_of(columns), {}, 0}), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(opens({"pollux_stores", schema_, {}, 0}), absl::StatusCode::kInvalidArgument);
  run("CREATE TABLE theirs (a integer)");
  EXPECT_EQ(opens({"THEIRS", schema_, {}, 0}), absl::StatusCode::kFailedPrecondition);
  store_ = kEventStoreWriteOptimised;
  EXPECT_EQ(open()->open_table(logins()).code(), absl::StatusCode::kFailedPrecondition)
      << "of another store in the same database";
}

TEST_F(DatabaseStoreTest, LongAndHostileNamesAndValuesAreNothingElse) {
  store_ = "x'; DROP TABLE logins; --";
  auto store = open();
  const std::string name(150, 'T');
  SchemaPtr schema = schema_of({{"a`\"; DROP TABLE logins; -- ?", AttributeType::kString},
                                {std::string(90, 'c') + "1", AttributeType::kString},
                                {std::string(90, 'c') + "2", AttributeType::kString}});
  ASSERT_TRUE(store->open_table(logins()).ok());
  ASSERT_TRUE(store->open_table({name, schema, {std::string(90, 'c') + "1"}, 0}).ok());
  const std::vector<TestRow> rows{
      {1, {std::string("'; DROP TABLE logins; --"), std::string("\\'?$1"), std::string("%s\\")}}};
  const std::string source = "'; DROP TABLE logins; -- \\";
  ASSERT_TRUE(write_rows(*store, name, batch_of(schema, rows), entry(1, 1), source).ok());
  store = open();
  EXPECT_EQ(testing::scan_all(*store, name).value(), rows);
  EXPECT_EQ(**store->progress(name, source), (RowId{entry(1, 1), 0}));
  EXPECT_FALSE(store->progress(name, source + " ")->has_value());
  EXPECT_TRUE(store->find(name, std::vector<Value>{std::string("\\'?$1")}, Timestamp{}).value());
  EXPECT_EQ(run("SELECT COUNT(*) FROM logins"), "0\n");
}

TEST_F(DatabaseStoreTest, AnotherNodesTablesAndColumnsAreSeen) {
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

TEST_F(DatabaseStoreTest, ATableThatIsReadIsNotChangedAndKeepsNobodyWaiting) {
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

TEST_F(DatabaseStoreTest, NoServerAndAWrongPasswordAreTold) {
  options_.timeout_ms = 5'000;
  DatabaseOptions nobody = options_;
  nobody.address.port = 1;
  EXPECT_TRUE(absl::IsUnavailable(testing::open_store(nobody, store_).status()));
  run(testing::database_backend().make_eve);
  options_.address.user = "eve";
  options_.address.password = "wrong";
  auto refused = testing::open_store(options_, store_);
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  EXPECT_EQ(refused.status().ToString().find("wrong"), std::string::npos);
}

TEST_F(DatabaseStoreTest, SessionsAreUsedAgainAndNeverMoreThanAllowed) {
  options_.pool.max_active = 2;
  options_.pool.max_wait_ms = 200;
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(write(*store, {login("x", 1)}, entry(1, i)).ok());
  EXPECT_EQ(run(testing::database_backend().count_sessions), "1\n");
  auto first = store->scan("LOGINS", {}, Timestamp{});
  auto second = store->scan("LOGINS", {}, Timestamp{});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(store->tables().status()));
  first->reset();
  EXPECT_TRUE(store->tables().ok());
}

TEST_F(DatabaseStoreTest, StoresShareTheSessionsOfTheirDatabase) {
  run(testing::database_backend().make_eve);
  run(testing::database_backend().limit_eve);  // to two, beyond which the server lets her not in
  options_.address.user = "eve";
  options_.address.password = "right";
  options_.pool.max_active = 2;
  auto database = testing::database_backend().make_database(options_);
  std::vector<std::unique_ptr<RecordStore>> stores;
  for (std::string_view name : {kEventStore, kEventStoreWriteOptimised}) {
    auto store = database->open(std::string(name));
    ASSERT_TRUE(store.ok()) << store.status();
    stores.push_back(*std::move(store));
  }
  const std::vector<std::string> tables{"LOGINS", "OTHERS"};
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(stores[i]->open_table({tables[i], schema_, {}, 0}).ok());
    // Else the first write ends a session, which the server may count a moment longer.
    ASSERT_TRUE(stores[i]->raise_fence(Epoch{1}).ok());
  }
  constexpr uint64_t kEntries = 50;
  std::vector<std::thread> users;
  for (size_t i = 0; i < 4; ++i) {
    users.emplace_back([&, i] {
      RecordStore& store = *stores[i % 2];
      const EventBatch batch = batch_of(schema_, {login("x", 1)});
      for (uint64_t n = 1; n <= kEntries; ++n) {
        auto written =
            write_rows(store, tables[i % 2], batch, entry(1, n), "plan" + std::to_string(i));
        EXPECT_TRUE(written.ok()) << written.status();
        EXPECT_TRUE(testing::scan_all(store, tables[i % 2]).ok());
      }
    });
  }
  for (std::thread& user : users) user.join();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(testing::row_count(*stores[i], tables[i]), 2 * kEntries);
  }
  EXPECT_EQ(run(testing::database_backend().count_sessions), "2\n");
}

// A table that others have made, and of which this store knows nothing.
TEST_F(DatabaseStoreTest, RowsOfATableOfSomebodyElseAreLookedUp) {
  auto store = open();
  run("CREATE TABLE bank_clients (id varchar(40), country integer, rate numeric(10,2), vip "
      "boolean, PRIMARY KEY (id, country));"
      "INSERT INTO bank_clients VALUES ('ann', 1, 0.25, true), ('ann', 2, 7, NULL),"
      "('o''neil', 1, NULL, true)");
  const SchemaPtr columns = schema_of({{"id", AttributeType::kString},
                                       {"rate", AttributeType::kDouble},
                                       {"Country", AttributeType::kInt},
                                       {"vip", AttributeType::kBool}});
  const TableDefinition wanted{"BANK_CLIENTS", columns, {"id", "Country"}, 0};
  const SchemaPtr key =
      schema_of({{"id", AttributeType::kString}, {"Country", AttributeType::kInt}});
  auto found = store->look_up(
      wanted,
      batch_of(key, {{0, {std::string("ann"), int32_t{2}}},
                     {0, {std::string("o'neil"), int32_t{1}}},
                     {0, {std::string("x'); DROP TABLE bank_clients; --"), int32_t{1}}}}),
      Timestamp{});
  ASSERT_TRUE(found.ok()) << found.status();
  std::set<std::string> rows;
  for (uint32_t row = 0; row < (*found)->rows(); ++row) {
    std::string line;
    for (size_t c = 0; c < 4; ++c) line += to_text((*found)->value(row, c)) + " ";
    rows.insert(line);
  }
  EXPECT_EQ(rows, (std::set<std::string>{"ann 7.0 2 null ", "o'neil null 1 true "}));
  const EventBatch none = batch_of(key, {});
  EXPECT_TRUE(store->look_up(wanted, none, Timestamp{}).ok());
  run("ALTER TABLE bank_clients DROP COLUMN rate");
  auto gone = store->look_up(wanted, none, Timestamp{});
  EXPECT_FALSE(gone.ok() || absl::IsUnavailable(gone.status())) << gone.status();
  run("DROP TABLE bank_clients");
  gone = store->look_up(wanted, none, Timestamp{});
  EXPECT_FALSE(gone.ok() || absl::IsUnavailable(gone.status())) << gone.status();
}

TEST_F(DatabaseStoreTest, SessionsThatAreToRestAreOpenedOnceForAllStores) {
  options_.pool.max_active = 2;
  options_.pool.min_idle = 2;
  options_.pool.max_wait_ms = 200;
  auto database = testing::database_backend().make_database(options_);
  auto first = database->open(std::string(kEventStore));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE((*first)->open_table(logins()).ok());
  auto cursor = (*first)->scan("LOGINS", {}, Timestamp{});  // one is out
  ASSERT_TRUE(cursor.ok()) << cursor.status();
  auto second = database->open(std::string(kEventStoreWriteOptimised));
  EXPECT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(run(testing::database_backend().count_sessions), "2\n");
}

}  // namespace
}  // namespace pollux
