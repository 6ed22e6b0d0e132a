// A way for numbered batches to one server, which ends with the connection: gRPC, or HTTP.
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

/// What the server answered to one batch. Its status: OK (committed), kResourceExhausted (queues
/// are full), kAborted (its stream has just changed: send again), kFailedPrecondition (out of
/// turn), kUnavailable (outcome unknown); any other is final.
struct BatchReply {
  uint64_t number = 0;
  absl::Status status{};
  EntryId id{};
  bool duplicate = false;
  uint64_t expected_number = 0;  ///< kFailedPrecondition; 0: not named
  uint64_t retry_after_ms = 0;
  std::vector<std::string> details{};  ///< rows that are wrong
};

/// Thread: one sends; callbacks come on any, and not after the destructor has returned.
class BatchChannel {
 public:
  struct Callbacks {
    std::function<void(BatchReply)> on_reply;         ///< in the order of the batches
    std::function<void(const absl::Status&)> on_end;  ///< nothing more comes, and why
  };

  virtual ~BatchChannel() = default;

  /// May wait until the server reads on. Not OK: the channel broke, nothing more comes.
  virtual absl::Status send(const EventBatch& batch, uint64_t number) = 0;
  /// Breaks the channel, so that a send() which waits returns. Thread: any.
  virtual void cancel() = 0;
};

/// Connects to a target. kUnavailable or kDeadlineExceeded when it cannot be reached.
using OpenChannel = std::function<absl::StatusOr<std::unique_ptr<BatchChannel>>(
    const std::string& target, BatchChannel::Callbacks)>;

}  // namespace pollux
