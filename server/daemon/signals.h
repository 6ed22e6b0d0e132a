// The signals that steer a server, as something to wait for.
//
// Blocked for the whole process while this stands, so that none kills it: to be made before other
// threads are, which inherit the blocking. Thread: that which made it.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>

namespace pollux {

enum class Signal : uint8_t { kNone, kStop, kReload, kWake };

class Signals {
 public:
  Signals();
  /// What came but was not waited for is dropped.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// SIGTERM and SIGINT stop, SIGHUP reloads, wake() wakes; kNone after `timeout`.
  Signal wait(std::chrono::milliseconds timeout);
  /// Thread: any.
  static void wake();
  /// From here on SIGTERM and SIGINT end the process at once, as they do by default.
  void let_stop_kill();

 private:
  sigset_t awaited_;
  sigset_t before_;
};

}  // namespace pollux
