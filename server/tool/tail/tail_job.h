// Follows the results of one stream: server-sent events in, JSON lines out.
//
// A connection that breaks is made again, behind the last result that came, for as long as retrying
// makes sense. Thread: the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/tool/client/client_session.h"

namespace pollux::tool {

struct TailOptions {
  std::string stream{};
  bool from_oldest = false;
  std::string after_id{};
  uint64_t limit = 0;     ///< results; 0: no limit
  double seconds = 0;     ///< 0: no limit
  double retry_for = 60;  ///< seconds without a connection
};

class TailJob {
 public:
  /// Borrows both.
  TailJob(const TailOptions& options, ClientSession& session);

  void run();

 private:
  using Clock = std::chrono::steady_clock;

  absl::StatusOr<HttpClientResponse> follow();
  /// One line of the stream of events; false: enough.
  bool on_line(std::string_view line);
  bool end_of_event();
  bool time_is_up() const { return ends_ && Clock::now() >= *ends_; }
  /// True: try again; else it is over, and why was told.
  bool after(const absl::StatusOr<HttpClientResponse>& ended);
  bool wait_before_retry();

  const TailOptions& options_;
  ClientSession& session_;
  std::string last_id_;
  std::optional<Clock::time_point> ends_;
  // ---- the event that is coming in ----
  std::string id_;
  std::string data_;
  std::string type_;

  uint64_t results_ = 0;
  bool was_connected_ = false;  // ever
  bool connected_ = false;      // in this attempt
  bool done_ = false;
  Clock::time_point lost_;  // when the connection was, or the first try
  std::chrono::milliseconds delay_{0};
};

}  // namespace pollux::tool
