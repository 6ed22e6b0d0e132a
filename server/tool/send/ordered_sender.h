// Sends batches, numbered 1, 2, 3, ..., until each is acknowledged.
//
// What is refused because queues are full, or lost with a connection, is sent again from the first
// unanswered batch on, under the same numbers: the server then applies each batch once, in order.
// Thread: the main thread; replies are taken over from the channel's.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/tool/send/batch_channel.h"
#include "server/tool/send/latency_counts.h"

namespace pollux::tool {

/// Events, unless it says otherwise.
struct SendTotals {
  uint64_t sent = 0;
  uint64_t acked = 0;
  uint64_t duplicates = 0;  ///< of those acknowledged: the server had them already
  uint64_t refused = 0;     ///< for full queues, each time anew
  uint64_t reconnects = 0;
  LatencyCounts latency_us;  ///< of batches, from the last time sent to the acknowledgement
};

class OrderedSender {
 public:
  /// `tell` gets a line when it must wait or connect again. Gives up when no batch is acknowledged
  /// for `retry_for` though it tried.
  OrderedSender(OpenChannel open, std::chrono::milliseconds retry_for,
                std::function<void(const std::string&)> tell);

  absl::Status connect();
  /// Waits while the channel's window is full. Not OK: it is over.
  absl::Status send(EventBatchPtr batch);
  /// Waits until all is acknowledged.
  absl::Status finish();

  const SendTotals& totals();
  /// Rows that the server found wrong, when that is how it ended.
  const std::vector<std::string>& details() const { return details_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Unanswered {
    uint64_t number;
    EventBatchPtr batch;
    Clock::time_point sent;
  };
  struct Arrived {
    BatchReply reply;
    Clock::time_point at;
  };
  enum class Trouble : uint8_t { kNone, kRefused, kBroken };

  void transmit(Unanswered& batch);
  void take_replies();
  void take(const Arrived& arrived);
  void acknowledge(const Arrived& arrived);
  void note(Trouble trouble, const absl::Status& why);
  /// Until nothing is in trouble, or it is over.
  absl::Status recover();
  absl::Status give_up() const;
  void reopen();

  OpenChannel open_;
  const std::chrono::milliseconds retry_for_;
  std::function<void(const std::string&)> tell_;

  std::mutex mutex_;
  std::vector<Arrived> arrived_;  // guarded by mutex_

  std::unique_ptr<BatchChannel> channel_;
  std::deque<Unanswered> unanswered_;
  uint64_t last_number_ = 0;
  Trouble trouble_ = Trouble::kNone;
  absl::Status why_;    // of the trouble
  absl::Status fatal_;  // not OK: it is over
  std::vector<std::string> details_;
  uint64_t retry_after_ms_ = 0;
  std::chrono::milliseconds delay_{0};
  Clock::time_point progress_;  // the last acknowledgement
  SendTotals totals_;
};

}  // namespace pollux::tool
