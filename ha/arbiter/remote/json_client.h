// Posts JSON over HTTP(S) and takes the answer, each by a deadline. Thread: one at a time.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/remote/deadline.h"
#include "storage/remote/tls_options.h"

namespace pollux {

struct JsonAnswer {
  int status = 0;  ///< of HTTP
  std::string body;
};

class JsonClient {
 public:
  explicit JsonClient(TlsOptions tls);
  ~JsonClient();

  /// Posts once, on a connection of its own. `token`: of the Authorization header; empty: none. Any
  /// answer is one, whatever its status. kDeadlineExceeded, kUnavailable: none came, and nobody
  /// knows whether the request was heard.
  absl::StatusOr<JsonAnswer> post(const std::string& url, const std::string& token,
                                  const std::string& body, const Deadline& deadline);

 private:
  struct Impl;

  TlsOptions tls_;
  std::unique_ptr<Impl> impl_;  // keeps libcurl's headers out of here
};

}  // namespace pollux
