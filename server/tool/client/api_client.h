// One call of the server's HTTP API, and what went wrong with it.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/language/diagnostics.h"
#include "engine/types/schema.h"
#include "server/http/http_client.h"

namespace pollux::tool {

struct ApiRequest {
  std::string method = "GET";
  std::string path;  ///< with its query, encoded: "/v1/plans/Guess"
  std::vector<HttpParameter> headers = {};
  std::string body = {};  ///< JSON
  std::chrono::milliseconds timeout{60'000};
};

/// An answer of any status.
struct ApiAnswer {
  int status = 0;
  std::string body;  ///< without line ends behind it
  uint64_t retry_after_ms = 0;

  bool ok() const { return status / 100 == 2; }
};

/// The error that an answer other than 2xx tells of.
struct ApiError {
  std::string code;     ///< "unknown_plan"; empty when no Pollux server said it
  absl::Status status;  ///< with the server's message, fit for a terminal
  Diagnostics diagnostics;
  std::vector<std::string> details;  ///< events that are wrong, plans that need another
  uint64_t expected_sequence = 0;    ///< with out_of_turn
};

class ApiClient {
 public:
  /// `servers` as the user named them: one, or the two of a pair with a comma between.
  explicit ApiClient(const std::string& servers);

  /// The server that is asked. Of two: the active one, else one that answers, else the first; found
  /// out when it is first needed.
  const std::string& url();
  /// All of them.
  const std::vector<std::string>& urls() const { return urls_; }
  /// Of two servers, finds out again which to ask.
  void choose();
  HttpClient& http() { return http_; }

  /// Not OK (kUnavailable, kDeadlineExceeded, kInvalidArgument) only when there was no answer; says
  /// then what to check.
  absl::StatusOr<ApiAnswer> call(const ApiRequest& request);

 private:
  std::vector<std::string> urls_;
  std::string url_;  // empty: not chosen yet
  HttpClient http_;
};

/// What to do when `url` gives no answer: "is polluxd running there? ...".
std::string unreachable_advice();

/// To be asked only of an answer that is not ok().
ApiError error_of(const ApiAnswer& answer);

/// The attributes of a stream as /v1/streams/{stream} tells them; kInternal when the answer is
/// none.
absl::StatusOr<SchemaPtr> schema_of_answer(const ApiAnswer& answer, const std::string& stream);

/// `text` percent-encoded, as one segment of a path or one value of a query.
std::string url_encoded(std::string_view text);

}  // namespace pollux::tool
