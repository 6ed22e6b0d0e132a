// An HTTP/1.1 server: sockets, limits and routing; what is served is the caller's.
//
// Thread: any. Handlers run on the server's threads (see HttpRouteKind).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/http/http_counters.h"
#include "server/http/router.h"

namespace pollux {

struct HttpServerOptions {
  using Milliseconds = std::chrono::milliseconds;

  std::string address = "127.0.0.1";  ///< of IPv4 or IPv6; "::" takes both
  uint16_t port = 0;                  ///< 0: the kernel chooses
  size_t threads = 2;                 ///< io threads, each with its share of the connections
  size_t workers = 4;                 ///< threads for blocking routes
  size_t worker_queue_max = 64;       ///< requests that wait for a worker; above it 503
  int backlog = 1024;

  size_t connections_max = 4096;           ///< above it 503 and the end of the connection
  size_t header_bytes_max = 16 * 1024;     ///< above it 431
  size_t bodies_bytes_max = 512ull << 20;  ///< of all requests in hand; above it 503
  size_t stream_bytes_max = 256 * 1024;    ///< that wait for one client of a ResponseStream
  size_t drain_bytes_max = 1 << 20;        ///< read and thrown away behind a refused request

  Milliseconds header_timeout{10'000};  ///< from a head's first byte to its last
  Milliseconds idle_timeout{60'000};    ///< between requests, and before the first
  /// A body, or an answer, may take this long and one second more for each transfer_rate_min bytes.
  Milliseconds body_timeout{15'000};
  Milliseconds write_timeout{15'000};
  size_t transfer_rate_min = 64 * 1024;  ///< bytes/s
  Milliseconds drain_timeout{2'000};     ///< for what follows a refused request
};

class HttpServer {
 public:
  /// Listens and serves. An address that is none, or cannot be bound, is an error that names it.
  static absl::StatusOr<std::unique_ptr<HttpServer>> start(HttpServerOptions options,
                                                           Router router);
  ~HttpServer();  ///< stop() without patience

  uint16_t port() const;
  const HttpCounters& counters() const;

  /// Accepts nobody any more, ends idle connections and streams, lets requests in hand be answered
  /// for at most `patience`, cuts the rest, and joins all threads. A handler that runs is waited
  /// for.
  void stop(std::chrono::milliseconds patience);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pollux
