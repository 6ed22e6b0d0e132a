// A server that takes connections, may greet, and then never says another word: as one whose
// machine hangs.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace pollux {

class SilentServer {
 public:
  explicit SilentServer(std::string greeting = "");
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer();

  uint16_t port() const { return port_; }

 private:
  void run();

  std::string greeting_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::vector<int> connections_;  // of the thread until it has ended
  std::thread thread_;
};

}  // namespace pollux
