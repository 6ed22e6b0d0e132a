// Which handler serves which method and path.
//
// Thread: filled by one thread; once the server has it, read by any. A wrong pattern is a bug of
// the caller and ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/http_message.h"
#include "server/http/responder.h"

namespace pollux {

/// Where a handler runs. kInline: on the connection's io thread, so it must be quick, but it may
/// answer later, from any thread. kBlocking: on a worker; when all are busy and their queue is full
/// the client gets 503 with Retry-After.
enum class HttpRouteKind : uint8_t { kInline, kBlocking };

struct HttpRoute {
  std::string method;   ///< "GET" serves HEAD too
  std::string pattern;  ///< "/v1/streams/{stream}/events"; {name} stands for one segment, not empty
  HttpHandler handler;
  HttpRouteKind kind = HttpRouteKind::kInline;
  size_t body_bytes_max = size_t{1} << 20;  ///< as sent, and as inflated: above it 413
};

class Router {
 public:
  void add(HttpRoute route);
  /// Method and pattern of each route.
  std::vector<std::pair<std::string, std::string>> routes() const;

  struct Match {
    const HttpRoute* route = nullptr;  ///< null: `allow` tells which methods there are
    std::vector<HttpParameter> parameters;
    std::string allow;  ///< "GET, HEAD, POST"; empty: nothing is served at this path
  };
  /// `segments` of the path, decoded. A literal segment goes before a parameter.
  Match match(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  struct Segment {
    std::string text;
    bool parameter;
  };
  struct Path {
    std::vector<Segment> segments;
    std::vector<HttpRoute> routes;
  };
  static std::vector<Segment> split(std::string_view pattern);
  static bool fits(const Path& path, const std::vector<std::string>& segments);
  static std::vector<HttpParameter> parameters_of(const Path& path,
                                                  const std::vector<std::string>& segments);

  std::vector<Path> paths_;  // sorted: literals before parameters, segment by segment
};

}  // namespace pollux
