#include "ha/arbiter/remote/mysql_arbiter.h"
#include "tests/ha/arbiter/server_contract.h"
#include "tests/support/mariadb_server.h"

namespace pollux {
namespace {

class MysqlStore : public ServerStore {
 public:
  MysqlStore() {
    EXPECT_TRUE(start());
    absl::Status created = create_mysql_arbiter_table(options(), 20'000);
    EXPECT_TRUE(created.ok()) << created;
  }
  std::unique_ptr<Arbiter> client(const ArbiterOptions& arbiter) override {
    auto made = make_mysql_arbiter(arbiter, options());
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
  bool start() override { return server_.start(); }
  void kill() override { server_.kill(); }
  void pause() override { server_.pause(); }
  void resume() override { server_.resume(); }

 private:
  MysqlOptions options() const {
    MysqlOptions options;
    options.port = server_.port();
    options.database = "mysql";
    options.user = "root";
    return options;
  }

  MariadbServer server_;
};

MysqlStore& mysql_store() {
  static MysqlStore store;
  return store;
}

POLLUX_ARBITER_ON_A_SERVER(Mysql, "mysql", mysql_store);

}  // namespace
}  // namespace pollux
