#include "ha/copies/order_shipping.h"

#include <limits>
#include <optional>
#include <utility>

namespace pollux {

/// Nodes that do not name the same streams tell each other everything.
void OrderShipping::on_hello(const Hello& hello) {
  std::lock_guard lock(mutex_);
  const bool same = hello.copies_of != 0 && hello.copies_of == streams_.hash();
  session_ = same ? hello.nonce : SessionNonce{};
  in_full_ = hello.in_full;
  full_upto_ = {std::numeric_limits<uint64_t>::max()};  // until it is welcomed
}

PeerMessage OrderShipping::prepare(PeerMessage message) {
  Position full_upto;
  if (const auto* welcome = std::get_if<Welcome>(&message.body)) {
    std::lock_guard lock(mutex_);
    // Copies of what was numbered before are gone.
    if (welcome->nonce == session_) full_upto_ = {welcome->tail.position.value + in_full_};
    return message;
  }
  auto* entries = std::get_if<Entries>(&message.body);
  if (entries == nullptr || entries->entries.empty()) return message;
  {
    std::lock_guard lock(mutex_);
    if (!session_.is_set() || entries->nonce != session_) return message;
    full_upto = full_upto_;
  }
  if (entries->entries.back().id.position <= full_upto) return message;
  Orders orders{entries->nonce,     entries->epoch,  entries->before, {},
                entries->committed, entries->applied};
  uint64_t made = 0;
  size_t rows = 0;
  orders.entries.reserve(entries->entries.size());
  for (const Entry& entry : entries->entries) {
    std::optional<EventsOrder> order;
    if (entry.id.position > full_upto) order = order_of(entry, streams_);
    if (order && (rows += order->times.size()) <= kOrderRowsMax) {
      orders.entries.emplace_back(*std::move(order));
      ++made;
    } else {
      orders.entries.emplace_back(entry);
    }
  }
  if (made == 0) return message;
  std::lock_guard lock(mutex_);
  shipped_ += made;
  return {message.record_version, std::move(orders)};
}

uint64_t OrderShipping::shipped() const {
  std::lock_guard lock(mutex_);
  return shipped_;
}

}  // namespace pollux
