// etcd of one member in a folder of its own.
#pragma once

#include <string>
#include <vector>

#include "tests/support/server_process.h"
#include "tests/support/temp_folder.h"

namespace pollux {

class EtcdServer {
 public:
  /// `scheme`: "https" with the certificates that `options` name, each "name=value". Call start()
  /// next.
  explicit EtcdServer(std::vector<std::string> options = {}, std::string scheme = "http");

  /// Returns once it answers; after kill(), on the same data and port. False, with a failure of the
  /// test: it does not.
  bool start();
  void kill() { process_.kill(); }
  void pause() { process_.pause(); }
  void resume() { process_.resume(); }
  /// Runs etcdctl with these arguments, of which the output comes back; "" with a failure of the
  /// test: it failed.
  std::string run(std::vector<std::string> arguments);

  std::string endpoint() const { return scheme_ + "://127.0.0.1:" + std::to_string(port_); }
  uint16_t port() const { return port_; }
  const std::string& folder() const { return folder_.path(); }

 private:
  TempFolder folder_;
  std::vector<std::string> options_;
  std::string scheme_;
  uint16_t port_ = 0;
  uint16_t peer_port_ = 0;
  ServerProcess process_;
};

}  // namespace pollux
