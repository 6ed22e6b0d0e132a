// Calls HTTP servers: for the command line and for publishers.
//
// Thread: one at a time for each client; keeps its connection alive between calls. Any thread may
// make clients.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/http/http_message.h"

namespace pollux {

struct HttpClientRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://; redirects are not followed
  std::vector<HttpParameter> headers = {};
  std::string_view body = {};  ///< must stay until the call returns; sent when it is not empty
  std::chrono::milliseconds connect_timeout{5'000};
  /// Of the whole call. For get_lines(): of a silence, so that a stream may go on for ever.
  std::chrono::milliseconds timeout{30'000};
  size_t body_bytes_max = size_t{64} << 20;  ///< of the answer; for get_lines(): of one line
  /// Asked at least once a second; true ends the call with kCancelled. May be empty.
  std::function<bool()> should_stop = {};
};

struct HttpClientResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

/// True: go on.
using HttpLineCallback = std::function<bool(std::string_view line)>;

/// Errors: kInvalidArgument (the URL), kUnavailable (no connection, or it broke),
/// kDeadlineExceeded, kCancelled, kResourceExhausted (body_bytes_max). A status such as 404 or 500
/// is an answer.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  absl::StatusOr<HttpClientResponse> request(const HttpClientRequest& request);

  /// Hands each line of a body that goes on (server-sent events, for example) to `on_line`, without
  /// its line end, until `on_line` returns false or the server ends: then status and headers, no
  /// body. An answer other than 2xx is returned as by request().
  absl::StatusOr<HttpClientResponse> get_lines(const HttpClientRequest& request,
                                               const HttpLineCallback& on_line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pollux
