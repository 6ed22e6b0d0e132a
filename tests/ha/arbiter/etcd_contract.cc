#include "ha/arbiter/remote/etcd_arbiter.h"
#include "tests/ha/arbiter/server_contract.h"
#include "tests/support/etcd_server.h"

namespace pollux {
namespace {

class EtcdStore : public ServerStore {
 public:
  EtcdStore() { EXPECT_TRUE(start()); }
  std::unique_ptr<Arbiter> client(const ArbiterOptions& arbiter) override {
    EtcdOptions options;
    options.endpoints = {server_.endpoint()};
    auto made = make_etcd_arbiter(arbiter, options);
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
  bool start() override { return server_.start(); }
  void kill() override { server_.kill(); }
  void pause() override { server_.pause(); }
  void resume() override { server_.resume(); }

 private:
  EtcdServer server_;
};

EtcdStore& etcd_store() {
  static EtcdStore store;
  return store;
}

POLLUX_ARBITER_ON_A_SERVER(Etcd, "etcd", etcd_store);

}  // namespace
}  // namespace pollux
