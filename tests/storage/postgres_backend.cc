#include "storage/postgres_store.h"
#include "tests/storage/database_testing.h"
#include "tests/storage/store_backend.h"
#include "tests/support/postgres_server.h"

namespace pollux::testing {
namespace {

class Server : public DatabaseServer {
 public:
  explicit Server(std::vector<std::string> settings) : server_(std::move(settings)) {}
  bool start() override { return server_.start(); }
  void kill() override { server_.kill(); }
  void pause() override { server_.pause(); }
  void resume() override { server_.resume(); }
  uint16_t port() const override { return server_.port(); }
  std::string run(const std::string& sql, const std::string& database) override {
    return server_.run(sql, database);
  }

 private:
  PostgresServer server_;
};

class PostgresHome : public StoreHome {
 public:
  std::unique_ptr<RecordStore> open() override { return open_or_fail(options_, kEventStore); }

 private:
  DatabaseOptions options_ = new_database();
};

}  // namespace

const DatabaseBackend& database_backend() {
  static const DatabaseBackend kBackend{
      [](std::vector<std::string> settings) -> std::unique_ptr<DatabaseServer> {
        return std::make_unique<Server>(std::move(settings));
      },
      make_postgres_database,
      "postgres",
      "postgres",
      '"',
      "DO $$ BEGIN CREATE ROLE eve; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
      "ALTER ROLE eve LOGIN PASSWORD 'right' CONNECTION LIMIT -1",
      "ALTER ROLE eve CONNECTION LIMIT 2; DO $$ BEGIN EXECUTE"
      " format('ALTER DATABASE %I OWNER TO eve', current_database()); END $$",
      "ALTER userName TYPE varchar(5)",
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ="
      " 'client backend' AND pid <> pg_backend_pid()"};
  return kBackend;
}

const StoreBackend& store_backend() {
  static const StoreBackend kBackend{
      []() -> std::unique_ptr<StoreHome> { return std::make_unique<PostgresHome>(); },
      "\x01\t\r\n\\N\\.\"'; DROP TABLE \xc3\xa9\xf0\x9f\x98\x80",
      {"\x01", "\xc3\xa9", "'", "a"},
      false};
  return kBackend;
}

}  // namespace pollux::testing
