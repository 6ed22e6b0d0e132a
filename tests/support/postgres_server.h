// PostgreSQL in a folder of its own, with all that makes commits last.
//
// Users: `postgres` may do everything and needs no password from 127.0.0.1; others need theirs.
#pragma once

#include <string>
#include <vector>

#include "tests/support/server_process.h"
#include "tests/support/temp_folder.h"

namespace pollux {

class PostgresServer {
 public:
  /// `settings`: "name=value" each, beyond the defaults. Call start() next.
  explicit PostgresServer(std::vector<std::string> settings = {});
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// Returns once it answers; after kill(), on the same data and port. False, with a failure of the
  /// test: it does not.
  bool start();
  void kill() { process_.kill(); }
  void pause() { process_.pause(); }
  void resume() { process_.resume(); }
  /// Runs statements as `postgres` with psql, of which the output comes back; "" with a failure of
  /// the test: it failed.
  std::string run(const std::string& sql, const std::string& database = "postgres");

  uint16_t port() const { return port_; }
  const std::string& folder() const { return folder_.path(); }
  const std::string& data() const { return data_; }
  std::vector<std::string>& settings() { return settings_; }

 private:
  bool prepare();

  TempFolder folder_;
  std::string data_ = folder_ / "data";
  std::vector<std::string> settings_;
  uint16_t port_ = 0;
  ServerProcess process_;
};

}  // namespace pollux
