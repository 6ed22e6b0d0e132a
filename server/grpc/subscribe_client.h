// Subscribes to results of a Pollux server.
//
// No header of gRPC is needed to use it. A client has one connection of its own and one thread that
// reads; callbacks come on that thread and must not call cancel() or wait().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "engine/types/ids.h"

namespace pollux {

/// Results of one plan that one entry caused, or some of them.
struct ReceivedResults {
  std::string plan;  ///< "-1234/LoginAlerts"
  EntryId cause;
  std::vector<uint32_t> ordinals;  ///< one a row
  EventBatchPtr batch;

  /// "-1234/LoginAlerts/1.42.0"
  std::string id(uint32_t row) const;
};

struct SubscribeOptions {
  std::string target = {};  ///< "host:port"
  std::string stream = {};
  std::string after_id = {};  ///< empty: only results from now on
  uint32_t connect_timeout_ms = 5'000;
};

/// Thread: any.
class SubscribeClient {
 public:
  using OnResults = std::function<void(const ReceivedResults&)>;

  /// Returns when the subscription stands: what is committed from then on is not missed. Else says
  /// why it was refused.
  static absl::StatusOr<std::unique_ptr<SubscribeClient>> open(const SubscribeOptions& options,
                                                               OnResults on_results);
  /// As cancel().
  ~SubscribeClient();

  /// Ends the subscription; no callback comes after it.
  void cancel();
  /// Waits until the subscription has ended. How it ended.
  absl::Status wait();

 private:
  class Stream;
  explicit SubscribeClient(std::unique_ptr<Stream> stream);

  std::unique_ptr<Stream> stream_;
};

}  // namespace pollux
