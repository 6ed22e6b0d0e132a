// Login events of many users, made while they are sent, at a steady rate or as fast as they are
// taken.
//
// Users and addresses are drawn from a seed; the time of each event grows. Sending is open-loop: an
// event's `ts` is when it was due, not when its turn came. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "server/node/intake.h"

namespace pollux::bench {

/// Of the monotonic clock.
int64_t now_ns();

struct Latency {
  int64_t due_ns;
  int64_t took_ns;
};

class LoginFeed {
 public:
  static constexpr const char* kStream =
      "define stream LoginStream (username string, ip string, success bool, region string, "
      "ts long, risk double);\n";
  /// The region of the last event of each batch; of no other.
  static constexpr const char* kProbe = "probe";

  LoginFeed(Intake& intake, uint32_t users, uint32_t batch_rows);

  /// Sends so many events and waits until all are acknowledged.
  void send(uint64_t events);
  /// Sends `rate` events a second until `enough` says so; how long each batch took from when it was
  /// due until it was acknowledged.
  std::vector<Latency> send_steadily(uint64_t rate, const std::function<bool()>& enough);

  uint64_t sent() const { return sent_; }

 private:
  void submit(int64_t due_ns, std::function<void(Submitted)> done);

  Intake& intake_;
  const uint32_t users_;
  const uint32_t batch_rows_;
  SchemaPtr schema_;
  std::mt19937_64 random_;
  uint64_t sent_ = 0;
};

}  // namespace pollux::bench
