// The batches of one producer that are not acknowledged yet, and what a reply means for them.
//
// They are numbered in the order in which they come and sent in that order. A batch that is refused
// for good leaves a gap; the numbers behind it move up only when the server has named the number
// that it expects, since only then it is certain that the refused batch was never taken.
// Thread: one at a time. Knows no clock, thread or connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "absl/status/status.h"
#include "engine/batch/event_batch.h"
#include "server/client/batch_channel.h"

namespace pollux {

class NumberedBatches {
 public:
  struct Batch {
    uint64_t number = 0;
    EventBatchPtr batch;
    size_t bytes = 0;
    std::chrono::steady_clock::time_point sent{};  ///< the last time
  };
  enum class Verdict : uint8_t {
    kNothing,   ///< of a batch that is answered already
    kAcked,     ///< the first one is committed
    kLater,     ///< send all again here once nothing is on the way
    kTurn,      ///< the outcome is unknown, or the node takes nothing: send all again elsewhere
    kRefused,   ///< the first one will never be taken
    kConflict,  ///< the server's numbers are not ours, see conflict()
  };

  explicit NumberedBatches(uint64_t first_number)
      : acked_number_(first_number - 1), last_number_(first_number - 1) {}

  // ---- what is to be sent ----

  void add(EventBatchPtr batch, size_t bytes);
  bool empty() const { return batches_.empty(); }
  size_t size() const { return batches_.size(); }
  size_t bytes() const { return bytes_; }
  bool has_next() const { return sent_ < batches_.size(); }
  /// Marks it as on the way. It stays where it is until it is answered.
  Batch& send_next();
  /// Sent and not answered.
  size_t on_the_way() const { return on_the_way_; }
  /// All that is unanswered is to be sent again; nothing may be on the way any more.
  void send_again();

  // ---- what was answered ----

  Verdict take(const BatchReply& reply);
  /// The first batch that is unanswered.
  const Batch& front() const { return batches_.front(); }
  /// An unanswered one.
  const Batch& numbered(uint64_t number) const { return batches_[number - front().number]; }
  void acknowledge_front();
  void drop_front();
  /// kDataLoss: the server has forgotten what it acknowledged. kFailedPrecondition: another program
  /// sends under this producer's name.
  absl::Status conflict(const BatchReply& reply) const;

 private:
  Verdict out_of_turn(const BatchReply& reply);
  void pop_front();

  std::deque<Batch> batches_;
  size_t bytes_ = 0;
  size_t sent_ = 0;        // of batches_, from the first on
  size_t on_the_way_ = 0;  // replies that are to come
  uint64_t acked_number_;  // the last one; numbers from here to the first batch's were refused
  uint64_t last_number_;
  uint64_t renumber_from_ = 0;  // 0: the numbers stay
};

}  // namespace pollux
