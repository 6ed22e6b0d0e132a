#include "ha/arbiter/remote/postgres_arbiter.h"
#include "tests/ha/arbiter/server_contract.h"
#include "tests/support/postgres_server.h"

namespace pollux {
namespace {

class PostgresStore : public ServerStore {
 public:
  PostgresStore() {
    EXPECT_TRUE(start());
    absl::Status created = create_postgres_arbiter_table(options(), 20'000);
    EXPECT_TRUE(created.ok()) << created;
  }
  std::unique_ptr<Arbiter> client(const ArbiterOptions& arbiter) override {
    auto made = make_postgres_arbiter(arbiter, options());
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
  bool start() override { return server_.start(); }
  void kill() override { server_.kill(); }
  void pause() override { server_.pause(); }
  void resume() override { server_.resume(); }

 private:
  PostgresOptions options() const {
    PostgresOptions options;
    options.port = server_.port();
    options.database = "postgres";
    options.user = "postgres";
    return options;
  }

  PostgresServer server_;
};

PostgresStore& postgres_store() {
  static PostgresStore store;
  return store;
}

POLLUX_ARBITER_ON_A_SERVER(Postgres, "postgres", postgres_store);

}  // namespace
}  // namespace pollux
