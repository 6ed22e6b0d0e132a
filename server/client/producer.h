// Sends numbered batches to a server, or to whichever of two serves, until each is acknowledged.
//
// Every batch counts once, in the order of send(), across lost connections, killed servers and
// failovers: what is unanswered is sent again under the same number, to the other address if there
// is one, and what a server has already it acknowledges as a duplicate. For as long as the name and
// the numbers last, that is: a program that goes on under an earlier one's name goes on behind its
// numbers (first_number), or sends the very same batches again.
//
// Thread: any calls it; a thread of its own talks to the servers and makes the callbacks. When it
// is over (a Status of send() that is not OK stays for ever), what is unanswered has an unknown
// outcome.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "engine/types/ids.h"
#include "server/client/batch_channel.h"

namespace pollux {

struct ProducerOptions {
  std::vector<std::string> targets{};  ///< one or two, each "host:port"; either may be down
  std::string stream{};
  std::string producer{};     ///< a name that nobody else sends under
  uint64_t first_number = 1;  ///< of the first batch

  size_t batches_in_flight_max = 32;
  /// Unanswered batches, sent or not; beyond them send() waits. One batch is always taken.
  size_t buffered_batches_max = 256;
  size_t buffered_bytes_max = size_t{64} << 20;

  /// Gives up when nothing is acknowledged for so long though it tried.
  std::chrono::milliseconds retry_for{60'000};
  std::chrono::milliseconds connect_timeout{5'000};
  /// A second at least; a server that is silent for half as long again is taken for dead.
  std::chrono::milliseconds ping_interval{5'000};

  /// What follows a batch that is refused for good: nothing, or the next one under its number.
  bool go_on_after_refusal = false;
};

/// On the producer's thread, in the order of send(): each batch has one of the first two, until it
/// is over. They may ask for counters() and call nothing else of the producer.
struct ProducerCallbacks {
  struct Acked {
    uint64_t number = 0;
    EntryId id;
    uint32_t events = 0;
    bool duplicate = false;          ///< the server had it already
    std::chrono::microseconds took;  ///< since it was sent the last time
  };
  struct Refused {
    uint64_t number = 0;
    EventBatchPtr batch;
    absl::Status status;               ///< kInvalidArgument: rows; kNotFound: the stream; ...
    std::vector<std::string> details;  ///< the rows that are wrong
  };
  std::function<void(const Acked&)> on_acked = {};
  std::function<void(const Refused&)> on_refused = {};
  /// A line for people: the producer connects again, and why.
  std::function<void(const std::string&)> on_trouble = {};
};

/// Events, unless it says otherwise; they only grow.
struct ProducerCounters {
  uint64_t sent = 0;        ///< taken by send()
  uint64_t acked = 0;       ///< duplicates too
  uint64_t duplicates = 0;  ///< of those acknowledged: the server had them already
  uint64_t put_off = 0;     ///< refused for full queues, each time anew
  uint64_t refused = 0;     ///< for good
  uint64_t reconnects = 0;  ///< connections made behind the first
  uint64_t failovers = 0;   ///< of these: to the other target
};

class Producer {
 public:
  /// Over gRPC. kInvalidArgument names all options that are wrong. Connects with the first batch.
  static absl::StatusOr<std::unique_ptr<Producer>> start(const ProducerOptions& options,
                                                         ProducerCallbacks callbacks = {});
  /// Over channels of another kind, which give targets a meaning of their own.
  static absl::StatusOr<std::unique_ptr<Producer>> start(const ProducerOptions& options,
                                                         ProducerCallbacks callbacks,
                                                         OpenChannel open);
  /// Waits for no reply, though for an attempt to connect.
  ~Producer();

  /// Numbers the batch; waits while the buffer is full. Not OK: it is over. kUnavailable or
  /// kDeadlineExceeded: no server for `retry_for`; kResourceExhausted: full for as long; kDataLoss:
  /// the server has forgotten what it acknowledged; kFailedPrecondition: closed, or another program
  /// sends under this name; else as the refusal that stopped it.
  absl::Status send(EventBatchPtr batch);
  /// Waits until all that was sent is answered. Not OK: it is over.
  absl::Status flush();
  /// Takes no more, waits as flush() does, and ends the thread: no callback comes behind it.
  absl::Status close();

  ProducerCounters counters() const;

 private:
  class Impl;
  explicit Producer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pollux
