// The SQL that `pollux store ddl` prints makes what `pollux store setup` makes, and a server runs
// there whose user may make nothing.
#include <string>

#include "tests/server/pair/pair_testing.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/postgres_server.h"

namespace pollux {
namespace {

constexpr const char* kPlan =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "@sink(type='store', store='EVENT_STORE_WO', table='RAW', retention='30 days')"
    "define stream Raw (user string, n int, l long, f float, d double, b bool);"
    "@sink(type='store', table='TOTALS', primary.key='user')"
    "define stream Totals (user string, total long);"
    "@store(type='store', store='EVENT_STORE') @PrimaryKey('user', 'n')"
    "define table Users (user string, n int);"
    "from Logins select user, n, 1L as l, 1.0f as f, 1.0 as d, true as b insert into Raw;"
    "from Logins select user, sum(n) as total group by user insert into Totals;"
    "from Logins select user, n update or insert into Users set Users.n = n "
    "on Users.user == user;";

/// Two plans that keep one table, of which the second has one more column.
constexpr const char* kNarrow =
    "@app:name('Narrow') define stream Logins2 (user string);"
    "@sink(type='store', table='SHARED', primary.key='user') define stream Shared (user string);"
    "from Logins2 select user insert into Shared;";
constexpr const char* kWider =
    "@app:name('Wider') define stream Logins2 (user string, more bool);"
    "@sink(type='store', table='SHARED', primary.key='user')"
    "define stream Shared (user string, more bool);"
    "from Logins2 select user, more insert into Shared;";

class StoreDdlTest : public PairProcessTest {
 protected:
  void write_settings(const std::string& database, const std::string& url) {
    std::string text =
        "datasources:\n"
        "  - name: analytics\n"
        "    type: " +
        url.substr(0, url.find(':')) +
        "\n"
        "    options:\n"
        "      url: " +
        url + "/" + database +
        "\n"
        "      password_variable: DATABASE_PASSWORD\n"
        "stores:\n"
        "  event_store: analytics\n"
        "  event_store_wo: analytics\n"
        "  processed_data_store: analytics\n"
        "pair:\n"
        "  arbiter: " +
        url + "/" + database +
        "\n"
        "  arbiter_password: secret\n";
    write(database + ".yaml", text);
    write("plan.siddhi", kPlan);
    write("narrow.siddhi", kNarrow);
    write("wider.siddhi", kWider);
  }
  ShellResult store(const std::string& command, const std::string& database) {
    return shell("env " + variables_ + " pollux store " + command + " --config " +
                 path(database + ".yaml") + " plan.siddhi narrow.siddhi wider.siddhi");
  }
  /// Of `made` by setup, and of `printed` by what is printed, by an administrator's client.
  void make_both(const std::string& client) {
    ShellResult made = store("setup", "made");
    ASSERT_EQ(made.exit_code, 0) << made.err;
    ShellResult printed = store("ddl", "printed");
    ASSERT_EQ(printed.exit_code, 0) << printed.err;
    EXPECT_EQ(printed.err, "");
    write("ddl.sql", printed.out);
    ShellResult fed = shell(client + " < ddl.sql");
    ASSERT_EQ(fed.exit_code, 0) << fed.err << printed.out;
    EXPECT_EQ(fed.out, "");
    for (const char* named : {"-- datasource analytics: ",
                              "-- store PROCESSED_DATA_STORE in datasource analytics: "
                              "table TOTALS\n",
                              "table POLLUX_REFUSED_ROWS\n", "-- arbiter: "}) {
      EXPECT_NE(printed.out.find(named), std::string::npos) << printed.out;
    }
    EXPECT_EQ(printed.out.find("secret"), std::string::npos);
    EXPECT_NE(shell(client + " < ddl.sql").exit_code, 0) << "what is there is not overwritten";
  }
  /// Rows of all kinds, and refused ones, reach the tables of `printed`.
  template <class Ask>
  void run_server(Ask ask, const std::string& refused) {
    set_options("--config " + path("printed.yaml"));
    start_member(a(), variables_ + " POLLUX__PAIR__BOOTSTRAP=true");
    ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
    deploy(a(), kPlan);
    ASSERT_EQ(send(a(), R"([{"user":"ann","n":1},{"user":"ann","n":2}])"), 200);
    ASSERT_EQ(send(a(), R"({"user":")" + refused + R"(","n":3})"), 200);
    EXPECT_TRUE(becomes_true([&] {
      return ask("SELECT COUNT(*) FROM raw") == "2\n" && ask("SELECT total FROM totals") == "3\n" &&
             ask("SELECT n FROM users") == "2\n" &&
             ask("SELECT COUNT(*) FROM pollux_refused_rows_event_store_wo") == "1\n" &&
             ask("SELECT COUNT(*) FROM pollux_refused_rows_processed_data_store") == "1\n";
    })) << get(a().url + "/v1/sinks");
  }

  const std::string variables_ = "DATABASE_PASSWORD=secret";
};

TEST_F(StoreDdlTest, PostgresqlGetsFromItWhatSetupMakes) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  const std::string port = std::to_string(server.port());
  for (const char* sql : {"CREATE USER pollux PASSWORD 'secret'",
                          "CREATE DATABASE made OWNER pollux", "CREATE DATABASE printed"}) {
    server.run(sql);
  }
  for (const char* database : {"made", "printed"}) {
    write_settings(database, "postgresql://pollux@127.0.0.1:" + port);
  }
  make_both("psql -X -q -1 -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -p " + port + " printed");
  for (const char* sql :
       {"SELECT table_name, column_name, ordinal_position, data_type, is_nullable, is_identity,"
        " column_default FROM information_schema.columns WHERE table_schema = 'public'"
        " ORDER BY 1, 3",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " ORDER BY 1, 2",
        "SELECT relname, relkind, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid)"
        " FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT * FROM pollux_tables ORDER BY 1, 2",
        "SELECT * FROM pollux_columns ORDER BY 1, 2, 3", "SELECT count(*) FROM pollux_stores",
        "SELECT count(*) FROM pollux_progress"}) {
    const std::string made = server.run(sql, "made");
    EXPECT_NE(made, "");
    EXPECT_EQ(server.run(sql, "printed"), made);
  }
  server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pollux",
             "printed");
  run_server([&](const std::string& sql) { return server.run(sql, "printed"); }, R"(\u0000)");
}

TEST_F(StoreDdlTest, MariadbGetsFromItWhatSetupMakes) {
  MariadbServer server;
  ASSERT_TRUE(server.start());
  server.run(
      "CREATE DATABASE made; CREATE DATABASE printed;"
      "GRANT ALL ON made.* TO pollux@'%' IDENTIFIED BY 'secret'");
  for (const char* database : {"made", "printed"}) {
    write_settings(database, "mysql://pollux@127.0.0.1:" + std::to_string(server.port()));
  }
  make_both("mariadb --no-defaults -u root -S " + server.socket() + " printed");
  for (const char* sql :
       {"SELECT table_name, column_name, ordinal_position, column_type, is_nullable, column_key,"
        " extra, collation_name, column_default FROM information_schema.columns"
        " WHERE table_schema = DATABASE() ORDER BY 1, 3",
        "SELECT table_name, index_name, seq_in_index, column_name, sub_part, non_unique"
        " FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3",
        "SELECT table_name, engine, row_format, table_collation FROM information_schema.tables"
        " WHERE table_schema = DATABASE() ORDER BY 1",
        "SELECT * FROM pollux_tables ORDER BY 1, 2",
        "SELECT * FROM pollux_columns ORDER BY 1, 2, 3", "SELECT COUNT(*) FROM pollux_stores",
        "SELECT COUNT(*) FROM pollux_progress"}) {
    const std::string made = server.run(std::string("USE made; ") + sql);
    EXPECT_NE(made, "");
    EXPECT_EQ(server.run(std::string("USE printed; ") + sql), made);
  }
  server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON printed.* TO pollux@'%'");
  for (const char* table : {"raw", "totals", "users"}) {
    server.run(std::string("USE printed; ALTER TABLE ") + table + " ADD CHECK (user <> 'bob')");
  }
  run_server([&](const std::string& sql) { return server.run("USE printed; " + sql); }, "bob");
}

TEST_F(StoreDdlTest, WhatCannotBePrintedIsTold) {
  write_settings("nowhere", "postgresql://pollux@127.0.0.1:1");
  EXPECT_EQ(store("ddl", "nowhere").exit_code, 0) << "nobody is asked";
  write("wider.siddhi",
        "define stream S (user string);"
        "@sink(type='store', table='TOTALS', primary.key='user') define stream T (user string);"
        "from S select user insert into T;");
  ShellResult other = store("ddl", "nowhere");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("TOTALS"), std::string::npos) << other.err;
  EXPECT_EQ(other.out, "");
  write("wider.siddhi",
        "define stream S (pollux_time long);"
        "@sink(type='store', table='T') define stream T (pollux_time long);"
        "from S select pollux_time insert into T;");
  EXPECT_EQ(store("ddl", "nowhere").exit_code, 2);
  ShellResult none = shell("pollux store ddl");
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_NE(none.err.find("nothing is to be done"), std::string::npos);
}

}  // namespace
}  // namespace pollux
