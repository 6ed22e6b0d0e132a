// Makes entries of orders, out of the copies that came to this node: what stands before a Replica
// that follows whoever leads on streams whose clients send to both nodes.
//
// Messages wait in order, behind the first whose copies have not come. When they do not come within
// a bounded time, or are not what whoever leads has, everything that waits is dropped and the
// session ends with it: the Replica sees a gap and says HELLO, and what is behind its tail then
// comes in full. So a copy that is lost costs a moment, and never a wrong event. Where copies are
// missed again and again more and more comes in full, and less again once they are there.
// Thread: any; `deliver` is called under the desk's lock, in order, and must be quick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "ha/pair/messages.h"

namespace pollux {

/// The copies that are there. Thread: any.
class CopySource {
 public:
  enum class Look : uint8_t {
    kFound,
    kMissing,  ///< not all of its events have come
    kOther,    ///< they have, and are not those of whoever leads
  };

  virtual ~CopySource() = default;
  /// kFound: `entry` is that of the order.
  virtual Look look(const EventsOrder& order, Entry& entry) = 0;
};

struct OrderDeskOptions {
  int64_t patience_ms = 200;  ///< that a message waits for copies
  size_t messages_max = 4096;
  size_t bytes_max = size_t{64} << 20;
  uint32_t in_full_min = 64;  ///< entries that come in full behind the tail, once a copy was missed
  uint32_t in_full_max = 16384;
};

struct OrderDeskCounts {
  uint64_t entries = 0;  ///< that were made of orders
  uint64_t asked = 0;    ///< times that entries were asked for in full
  uint64_t waiting = 0;  ///< messages, now
};

class OrderDesk {
 public:
  using Deliver = std::function<void(PeerMessage)>;

  /// `copies` outlives it.
  OrderDesk(OrderDeskOptions options, CopySource& copies, Deliver deliver)
      : options_(options), copies_(copies), deliver_(std::move(deliver)) {}

  /// Of the peer.
  void on_message(PeerMessage message, int64_t now_ms);
  /// Copies have come.
  void look_again(int64_t now_ms);
  void on_disconnected();
  /// A Hello is about to leave: what waits is of the session before it. Says how it may be
  /// answered, by a peer that understands it.
  void prepare(Hello& hello, uint64_t copies_of);

  OrderDeskCounts counts() const;

 private:
  struct Waiting {
    PeerMessage message;
    size_t bytes;
    int64_t since_ms;
  };

  bool is_dropped(const PeerMessage& message) const;
  void work(int64_t now_ms);
  std::optional<CopySource::Look> make(Orders& orders);
  void hand_on(Orders& orders, size_t count);
  void miss(Orders& orders);
  void clear();
  void note_made();

  const OrderDeskOptions options_;
  CopySource& copies_;
  const Deliver deliver_;

  mutable std::mutex mutex_;
  std::deque<Waiting> waiting_;
  size_t bytes_ = 0;
  SessionNonce session_;  // of the last Hello; not set: it has ended, and nothing of it is wanted
  uint32_t in_full_ = 0;
  uint64_t made_since_ = 0;  // the last miss, or since in_full_ was lowered
  OrderDeskCounts counts_;
};

}  // namespace pollux
