// A call that the server is in the middle of, and what all calls share.
//
// gRPC's reactions, the node's answers and the server's stop come on any thread. Each changes the
// call's state under its own lock and then calls advance(); what the state asks for next is done by
// one thread at a time, outside the lock. So operations of gRPC never overlap, nor follow Finish.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "server/grpc/call_pump.h"
#include "server/grpc/grpc_limits.h"
#include "server/node/intake.h"
#include "server/node/result_log.h"

namespace pollux {

struct ServiceState;

class Call : public std::enable_shared_from_this<Call> {
 public:
  explicit Call(std::shared_ptr<ServiceState> state) : state_(std::move(state)) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Does all that is due.
  void advance();
  /// The server stops: what is on the way is answered, then the call ends.
  void stop() {
    stopping_ = true;
    advance();
  }

 protected:
  /// Does the next thing that is due; false when there is none. One thread at a time.
  virtual bool step() = 0;

  /// Lives on from here until leave(). False when the server takes no more calls: refusal() says
  /// why.
  bool enter();
  /// The last reaction of gRPC has come.
  void leave();
  absl::Status refusal() const { return refusal_; }
  bool stopping() const { return stopping_; }

  const std::shared_ptr<ServiceState> state_;
  std::shared_ptr<WakeUp> wake_up_;

 private:
  std::shared_ptr<Call> self_;
  absl::Status refusal_;
  bool entered_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint32_t> due_ = 0;
};

/// The calls that are open. Thread: any.
class OpenCalls {
 public:
  /// kResourceExhausted beyond `calls_max`, kUnavailable once all were stopped.
  absl::Status add(const std::shared_ptr<Call>& call, uint32_t calls_max);
  void remove(Call* call);
  void stop_all();

 private:
  std::mutex mutex_;
  std::unordered_map<Call*, std::weak_ptr<Call>> calls_;
  bool stopping_ = false;
};

struct ServiceState {
  ServiceState(Intake& the_intake, ResultLogs& the_logs, const GrpcLimits& the_limits)
      : intake(the_intake), logs(the_logs), limits(the_limits) {}

  Intake& intake;
  ResultLogs& logs;
  const GrpcLimits limits;
  GrpcCounters counters;
  OpenCalls calls;
  CallPump pump;
};

/// Said when a call ends because the server stops.
constexpr char kServerStops[] = "the server stops; the outcome of what is unanswered is unknown";

}  // namespace pollux
