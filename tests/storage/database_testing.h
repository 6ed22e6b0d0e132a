// One database server for all tests of an executable, and a database of it for each.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/storage/database_backend.h"
#include "tests/storage/storage_testing.h"

namespace pollux::testing {

inline DatabaseServer& database_server() {
  static const std::unique_ptr<DatabaseServer> kServer = database_backend().make_server({});
  static const bool kStarted = kServer->start();
  EXPECT_TRUE(kStarted);
  return *kServer;
}

inline DatabaseOptions options_of(const DatabaseServer& server, const std::string& database) {
  DatabaseOptions options;
  options.address.port = server.port();
  options.address.user = database_backend().user;
  options.address.database = database;
  return options;
}

inline DatabaseOptions new_database() {
  static int made = 0;
  const std::string name = "stores" + std::to_string(++made);
  database_server().run("CREATE DATABASE " + name, database_backend().database);
  return options_of(database_server(), name);
}

/// Sharing its sessions with no other.
inline absl::StatusOr<std::unique_ptr<RecordStore>> open_store(const DatabaseOptions& options,
                                                               std::string_view name) {
  return database_backend().make_database(options)->open(std::string(name));
}

/// Null, with a failure of the test: it cannot be opened.
inline std::unique_ptr<RecordStore> open_or_fail(const DatabaseOptions& options,
                                                 std::string_view name) {
  auto store = open_store(options, name);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

/// A database for each test, and what the tests write there.
class DatabaseStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<RecordStore> open() { return open_or_fail(options_, store_); }
  TableDefinition logins() const { return {"LOGINS", schema_, {}, 0}; }
  TableDefinition users() const { return {"USERS", schema_, {"userName"}, 0}; }
  TestRow login(const std::string& user, int32_t n) const { return {n, {user, n}}; }
  /// In the test's database.
  std::string run(const std::string& sql) { return server_.run(sql, options_.address.database); }
  absl::StatusOr<Written> write(RecordStore& store, const std::vector<TestRow>& rows, EntryId at,
                                std::string_view table = "LOGINS") {
    return write_rows(store, table, batch_of(schema_, rows), at, "plan");
  }
  /// A server for this test alone, where its store is from now on.
  std::unique_ptr<DatabaseServer> own_server(std::vector<std::string> settings = {}) {
    auto server = database_backend().make_server(std::move(settings));
    EXPECT_TRUE(server->start());
    options_ = options_of(*server, database_backend().database);
    return server;
  }

  DatabaseServer& server_ = database_server();
  DatabaseOptions options_ = new_database();
  std::string store_{kEventStore};
  SchemaPtr schema_ = schema_of({{"userName", AttributeType::kString}, {"n", AttributeType::kInt}});
};

}  // namespace pollux::testing
