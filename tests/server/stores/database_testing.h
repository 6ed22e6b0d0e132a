// Nodes whose stores are in a PostgreSQL of a test's own.
#pragma once

#include <string>

#include "tests/server/pair/pair_testing.h"
#include "tests/support/postgres_server.h"

namespace pollux {

class DatabaseTest : public PairProcessTest {
 protected:
  void SetUp() override {
    PairProcessTest::SetUp();
    ASSERT_TRUE(server_.start());
    server_.run("CREATE USER pollux PASSWORD 'secret'");
    server_.run("CREATE DATABASE pollux OWNER pollux");
    write("settings.yaml",
          "datasources:\n"
          "  - name: analytics\n"
          "    type: postgresql\n"
          "    options:\n"
          "      url: postgresql://pollux@127.0.0.1:" +
              std::to_string(server_.port()) +
              "/pollux\n"
              "      password_variable: DATABASE_PASSWORD\n"
              "stores:\n"
              "  event_store: analytics\n"
              "  processed_data_store: analytics\n");
    set_options("--config " + path("settings.yaml"));
  }

  std::string ask(const std::string& sql) { return server_.run(sql, "pollux"); }

  PostgresServer server_;
  const std::string variables_ = "DATABASE_PASSWORD=secret";
};

}  // namespace pollux
