#include "ha/copies/order_desk.h"

#include <algorithm>
#include <utility>

#include "ha/wire/message_codec.h"

namespace pollux {
namespace {

/// Of messages that belong to one.
std::optional<SessionNonce> session_of(const PeerMessage& message) {
  if (const auto* entries = std::get_if<Entries>(&message.body)) return entries->nonce;
  if (const auto* orders = std::get_if<Orders>(&message.body)) return orders->nonce;
  if (const auto* order = std::get_if<SwitchOver>(&message.body)) return order->nonce;
  return std::nullopt;
}

bool is_whole(const OrderedEntry& entry) { return std::holds_alternative<Entry>(entry); }

}  // namespace

bool OrderDesk::is_dropped(const PeerMessage& message) const {
  std::optional<SessionNonce> session = session_of(message);
  return session && *session != session_;
}

void OrderDesk::on_message(PeerMessage message, int64_t now_ms) {
  std::lock_guard lock(mutex_);
  if (is_dropped(message)) return;
  const bool waits = std::holds_alternative<Orders>(message.body) || !waiting_.empty();
  if (!waits || std::holds_alternative<Heartbeat>(message.body)) {
    return deliver_(std::move(message));
  }
  const size_t bytes = bytes_of(message);
  bytes_ += bytes;
  waiting_.push_back({std::move(message), bytes, now_ms});
  work(now_ms);
}

void OrderDesk::look_again(int64_t now_ms) {
  std::lock_guard lock(mutex_);
  work(now_ms);
}

void OrderDesk::clear() {
  waiting_.clear();
  bytes_ = 0;
}

void OrderDesk::on_disconnected() {
  std::lock_guard lock(mutex_);
  clear();
}

void OrderDesk::prepare(Hello& hello, uint64_t copies_of) {
  std::lock_guard lock(mutex_);
  clear();
  session_ = hello.nonce;
  hello.copies_of = copies_of;
  hello.in_full = copies_of == 0 ? 0 : in_full_;
}

OrderDeskCounts OrderDesk::counts() const {
  std::lock_guard lock(mutex_);
  OrderDeskCounts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

void OrderDesk::work(int64_t now_ms) {
  while (!waiting_.empty()) {
    Waiting& first = waiting_.front();
    auto* orders = std::get_if<Orders>(&first.message.body);
    if (orders == nullptr) {
      bytes_ -= first.bytes;
      PeerMessage message = std::move(first.message);
      waiting_.pop_front();
      deliver_(std::move(message));
      continue;
    }
    if (std::optional<CopySource::Look> stopped = make(*orders)) {
      const bool in_vain = *stopped == CopySource::Look::kOther ||
                           now_ms - first.since_ms >= options_.patience_ms ||
                           waiting_.size() > options_.messages_max || bytes_ > options_.bytes_max;
      if (in_vain) miss(*orders);
      return;
    }
    hand_on(*orders, orders->entries.size());
    bytes_ -= first.bytes;
    waiting_.pop_front();
  }
}

/// Makes entries of orders, up to the first that cannot be made. Nothing: of all of them.
std::optional<CopySource::Look> OrderDesk::make(Orders& orders) {
  for (OrderedEntry& one : orders.entries) {
    if (is_whole(one)) continue;
    Entry entry;
    const CopySource::Look found = copies_.look(std::get<EventsOrder>(one), entry);
    if (found != CopySource::Look::kFound) return found;
    one = std::move(entry);
    note_made();
  }
  return std::nullopt;
}

/// The first so many, which are entries by now.
void OrderDesk::hand_on(Orders& orders, size_t count) {
  Entries entries{orders.nonce, orders.epoch, orders.before, {}, orders.committed, orders.applied};
  entries.entries.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    entries.entries.push_back(std::get<Entry>(std::move(orders.entries[i])));
  }
  const uint64_t record_version = waiting_.front().message.record_version;
  deliver_({record_version, std::move(entries)});
}

/// What is whole goes on, and then the session ends by a gap: nothing follows what was not sent.
void OrderDesk::miss(Orders& orders) {
  ++counts_.asked;
  in_full_ = std::clamp(in_full_ * 2, options_.in_full_min, options_.in_full_max);
  made_since_ = 0;
  const auto lost = std::find_if_not(orders.entries.begin(), orders.entries.end(), is_whole);
  const EntryId missing = id_of(*lost);
  const Entries gap{orders.nonce, orders.epoch, missing, {}, orders.committed, orders.applied};
  const uint64_t record_version = waiting_.front().message.record_version;
  if (lost != orders.entries.begin()) {
    hand_on(orders, static_cast<size_t>(lost - orders.entries.begin()));
  }
  session_ = {};
  clear();
  deliver_({record_version, gap});
}

void OrderDesk::note_made() {
  ++counts_.entries;
  if (in_full_ == 0 || ++made_since_ <= uint64_t{in_full_} * 4) return;
  in_full_ = in_full_ <= options_.in_full_min ? 0 : in_full_ / 2;
  made_since_ = 0;
}

}  // namespace pollux
