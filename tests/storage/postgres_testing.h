// One PostgreSQL for all tests of an executable, and a database of it for each.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "storage/postgres_store.h"
#include "tests/support/postgres_server.h"

namespace pollux::testing {

inline PostgresServer& postgres_server() {
  static PostgresServer server;
  static const bool kStarted = server.start();
  EXPECT_TRUE(kStarted);
  return server;
}

inline PostgresStoreOptions options_of(const PostgresServer& server, const std::string& database) {
  PostgresStoreOptions options;
  options.name = kEventStore;
  options.address.port = server.port();
  options.address.user = "postgres";
  options.address.database = database;
  return options;
}

inline PostgresStoreOptions new_database(PostgresServer& server) {
  static int made = 0;
  const std::string name = "stores" + std::to_string(++made);
  server.run("CREATE DATABASE " + name);
  return options_of(server, name);
}

}  // namespace pollux::testing
