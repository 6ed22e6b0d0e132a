// What an arbiter on a server promises when that server dies, hangs and comes back.
#pragma once

#include "tests/ha/arbiter/arbiter_contract.h"

namespace pollux {

class ServerStore : public ArbiterStore {
 public:
  /// On the data and the port that it had; nothing where it runs.
  virtual bool start() = 0;
  virtual void kill() = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;
};

struct ServerStoreParam {
  std::string name;
  std::function<ServerStore&()> store;
};

inline void PrintTo(const ServerStoreParam& param, std::ostream* out) { *out << param.name; }

inline std::string name_of_server(const ::testing::TestParamInfo<ServerStoreParam>& info) {
  return info.param.name;
}

class ServerContract : public ::testing::TestWithParam<ServerStoreParam> {
 protected:
  static constexpr int64_t kShortMs = 700;

  void SetUp() override { ASSERT_TRUE(store().start()); }  // whatever the test before did
  ServerStore& store() { return GetParam().store(); }
  std::unique_ptr<Arbiter> client(int64_t timeout_ms = 20'000);
};

/// Both contracts, of one kind of server; `store` starts it when it is asked for first.
#define POLLUX_ARBITER_ON_A_SERVER(Kind, name, store)                                        \
  INSTANTIATE_TEST_SUITE_P(                                                                  \
      Kind, ArbiterContract,                                                                 \
      ::testing::Values(ArbiterStoreParam{name, []() -> ArbiterStore& { return store(); }}), \
      name_of);                                                                              \
  INSTANTIATE_TEST_SUITE_P(                                                                  \
      Kind, ServerContract,                                                                  \
      ::testing::Values(ServerStoreParam{name, []() -> ServerStore& { return store(); }}),   \
      name_of_server)

}  // namespace pollux
