// One stream of batches to one server over gRPC. Producer makes of it what outlives a server.
//
// No header of gRPC is needed to use it. A client has one connection of its own and one thread that
// reads; callbacks come on that thread and must not call close(), or end the client.
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
#include "server/grpc/batch_fault.h"

namespace pollux {

/// What a server answered to one batch.
struct PublishOutcome {
  absl::Status status;  ///< OK: committed
  uint64_t number = 0;  ///< the batch's
  // ---- OK ----
  uint64_t events = 0;
  EntryId id;
  bool duplicate = false;
  // ---- not OK ----
  uint64_t expected_number = 0;
  uint64_t retry_after_ms = 0;
  std::vector<BadRow> bad_rows;  ///< the first kBadRowsMax faults
  uint64_t bad_row_faults = 0;   ///< all of them
};

struct PublishOptions {
  std::string target = {};  ///< "host:port"
  std::string stream = {};
  std::string producer = {};  ///< empty: batches have no numbers
  size_t batches_in_flight_max = 32;
  uint32_t connect_timeout_ms = 5'000;
  /// A server of which nothing was heard for so long is asked whether it lives, and taken for dead
  /// when it does not answer for half as long again. Servers take it amiss below a second; 0:
  /// never.
  uint32_t ping_ms = 5'000;
};

/// Thread: one sends; any may ask.
class PublishClient {
 public:
  /// Replies come in the order of the batches.
  using OnReply = std::function<void(const PublishOutcome&)>;
  /// No reply comes behind it. Not OK unless close() ended the stream.
  using OnEnd = std::function<void(const absl::Status&)>;

  /// kUnavailable when the server cannot be reached in time. `on_end` may be empty.
  static absl::StatusOr<std::unique_ptr<PublishClient>> open(const PublishOptions& options,
                                                             OnReply on_reply, OnEnd on_end = {});
  /// Cuts the stream unless close() has ended it.
  ~PublishClient();

  /// Sends a batch; waits while too many are unanswered. Not OK when the stream has ended, and how.
  absl::Status send(const EventBatch& batch, uint64_t number);
  /// Waits until all that was sent is answered; not OK when the stream ended before.
  absl::Status flush();
  /// Sends no more, waits for all replies, ends the stream. How it ended.
  absl::Status close();
  /// Cuts the stream; what is unanswered stays so.
  void cancel();

  uint64_t unanswered() const;

 private:
  class Stream;
  explicit PublishClient(std::unique_ptr<Stream> stream);

  std::unique_ptr<Stream> stream_;
};

}  // namespace pollux
