// The server's gRPC port: events come in, results go out (docs/grpc.md).
//
// gRPC's own threads decode requests and hand them to the intake; one thread more sends what the
// node brings about. Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/grpc/grpc_limits.h"
#include "server/node/intake.h"
#include "server/node/result_log.h"

namespace pollux {

struct GrpcServerOptions {
  std::string address = "127.0.0.1";  ///< to listen on: an IPv4 or IPv6 address
  uint16_t port = 0;                  ///< 0: the kernel chooses
  GrpcLimits limits = {};
};

class GrpcServer {
 public:
  /// kUnavailable with the cause when it cannot listen there. `intake` and `logs` must outlive the
  /// server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> start(const GrpcServerOptions& options,
                                                           Intake& intake, ResultLogs& logs);
  /// As stop() with no time left.
  ~GrpcServer();

  uint16_t port() const;
  const GrpcCounters& counters() const;

  /// Takes no more calls and requests, answers those on the way, ends all calls with UNAVAILABLE,
  /// and cuts what has not ended within `deadline`. Outcomes that come later are dropped.
  void stop(std::chrono::milliseconds deadline);

 private:
  class Running;
  explicit GrpcServer(std::unique_ptr<Running> running);

  std::unique_ptr<Running> running_;
};

}  // namespace pollux
