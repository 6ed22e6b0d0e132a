// One MariaDB for all tests of an executable, and a database of it for each.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "storage/mysql_store.h"
#include "tests/support/mariadb_server.h"

namespace pollux::testing {

inline MariadbServer& mariadb_server() {
  static MariadbServer server;
  static const bool kStarted = server.start();
  EXPECT_TRUE(kStarted);
  return server;
}

inline MysqlStoreOptions options_of(const MariadbServer& server, const std::string& database) {
  MysqlStoreOptions options;
  options.name = kEventStore;
  options.address.port = server.port();
  options.address.user = "root";
  options.address.database = database;
  return options;
}

inline MysqlStoreOptions new_database(MariadbServer& server) {
  static int made = 0;
  const std::string name = "stores" + std::to_string(++made);
  server.run("CREATE DATABASE " + name);
  return options_of(server, name);
}

}  // namespace pollux::testing
