// The HTTP API: what is served under /v1, the probes, and the metrics.
//
// Thread: handlers run on the HTTP server's threads. What they borrow must outlive the server.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "server/api/stream_heartbeat.h"
#include "server/durability/durability.h"
#include "server/grpc/grpc_limits.h"
#include "server/http/http_server.h"
#include "server/http/router.h"
#include "server/log/logger.h"
#include "server/node/node.h"
#include "server/pair/pair_member.h"
#include "server/publishers/sink_manager.h"
#include "server/receivers/receiver_manager.h"
#include "server/stores/store_set.h"

namespace pollux {

struct ApiLimits {
  size_t body_bytes_max = size_t{16} << 20;
  uint64_t query_rows_max = 1'000'000;
  std::chrono::milliseconds query_timeout{30'000};  ///< of a scan through a record store
  std::chrono::milliseconds heartbeat{15'000};      ///< between signs of life to subscribers
};

/// What handlers work with; owned by the composition.
struct ApiParts {
  Node& node;
  Intake& intake;
  StoreSet& stores;
  SinkManager& sinks;
  ReceiverManager& receivers;
  Durability* durability;  ///< null: persistence is off
  PairMember* pair;        ///< null: the node stands alone
  Logger& log;
  ApiLimits limits;
  std::string version;
  std::chrono::steady_clock::time_point started;
  /// Ports that are open, known once they are; 0 before.
  std::atomic<uint16_t> http_port{0};
  std::atomic<uint16_t> grpc_port{0};
  std::atomic<const HttpCounters*> http_counters{nullptr};
  std::atomic<const GrpcCounters*> grpc_counters{nullptr};
  std::atomic<bool> stopping{false};
  StreamHeartbeat heartbeat{limits.heartbeat};
};

/// All routes of the API. `parts` is borrowed.
Router make_api(ApiParts& parts);

// One function a group of routes, each in a file of its name.
void add_event_routes(Router& router, ApiParts& parts);
void add_stream_routes(Router& router, ApiParts& parts);
void add_plan_routes(Router& router, ApiParts& parts);
void add_query_routes(Router& router, ApiParts& parts);
void add_endpoint_routes(Router& router, ApiParts& parts);
void add_node_routes(Router& router, ApiParts& parts);
void add_cluster_routes(Router& router, ApiParts& parts);
void add_openapi_route(Router& router);

}  // namespace pollux
