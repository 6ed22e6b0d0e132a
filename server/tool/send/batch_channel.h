// A way for numbered batches to a server: gRPC or HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"

namespace pollux::tool {

/// What the server answered to one batch. Its status: OK (committed), kResourceExhausted (queues
/// are full), kFailedPrecondition (an earlier number is missing), kUnavailable (outcome unknown);
/// any other is final.
struct BatchReply {
  uint64_t number = 0;
  absl::Status status{};
  bool duplicate = false;
  uint64_t expected_number = 0;
  uint64_t retry_after_ms = 0;
  std::vector<std::string> details{};  ///< rows that are wrong
};

/// Thread: one sends; replies come on any.
class BatchChannel {
 public:
  using OnReply = std::function<void(BatchReply)>;

  virtual ~BatchChannel() = default;

  /// Waits while too many batches are unanswered. Not OK: the channel broke, nothing more comes.
  virtual absl::Status send(const EventBatch& batch, uint64_t number) = 0;
  /// Waits until all that was sent is answered; not OK when the channel broke before.
  virtual absl::Status flush() = 0;
};

/// kUnavailable when the server cannot be reached.
using OpenChannel =
    std::function<absl::StatusOr<std::unique_ptr<BatchChannel>>(BatchChannel::OnReply)>;

}  // namespace pollux::tool
