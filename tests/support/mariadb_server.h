// MariaDB in a folder of its own, with all that makes commits last.
//
// User `root` may do everything and needs no password.
#pragma once

#include <string>
#include <vector>

#include "tests/support/server_process.h"
#include "tests/support/temp_folder.h"

namespace pollux {

class MariadbServer {
 public:
  /// `settings`: "name=value" each, beyond the defaults. In `parent`; making a new database on a
  /// disk takes seconds. Call start() next.
  explicit MariadbServer(std::vector<std::string> settings = {},
                         const std::string& parent = memory_folder());

  /// Returns once it answers; after kill(), on the same data and port. False, with a failure of the
  /// test: it does not.
  bool start();
  void kill() { process_.kill(); }
  void pause() { process_.pause(); }
  void resume() { process_.resume(); }
  /// Runs statements as `root`, of which the output comes back; "" with a failure of the test: it
  /// failed.
  std::string run(const std::string& sql);

  uint16_t port() const { return port_; }
  std::string socket() const { return folder_ / "m.sock"; }
  const std::string& folder() const { return folder_.path(); }
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
