#include <algorithm>

#include "storage/mysql_store.h"
#include "tests/storage/database_testing.h"
#include "tests/storage/store_backend.h"
#include "tests/support/mariadb_server.h"

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
    std::string out = server_.run("USE " + database + "; " + sql);
    std::replace(out.begin(), out.end(), '\t', '|');
    return out;
  }

 private:
  MariadbServer server_;
};

class MysqlHome : public StoreHome {
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
      make_mysql_database,
      "root",
      "mysql",
      '`',
      "CREATE OR REPLACE USER eve@'%' IDENTIFIED BY 'right'",
      "GRANT ALL ON `stores%`.* TO eve@'%' WITH MAX_USER_CONNECTIONS 2",
      "MODIFY userName VARCHAR(5)",
      "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> "
      "CONNECTION_ID()"};
  return kBackend;
}

const StoreBackend& store_backend() {
  static const StoreBackend kBackend{
      []() -> std::unique_ptr<StoreHome> { return std::make_unique<MysqlHome>(); },
      std::string("\0\x01\t\r\n\\N\\.\"'`; DROP TABLE \xc3\xa9\xf0\x9f\x98\x80 ", 33),
      {std::string(1, '\0'), "\xc3\xa9", " ", "A"},
      false};
  return kBackend;
}

}  // namespace pollux::testing
