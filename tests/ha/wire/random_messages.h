// Random messages of every kind, handshakes and forwards, from a seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ha/pair/messages.h"
#include "ha/wire/forward.h"
#include "ha/wire/handshake.h"
#include "tests/persistence/codec/random_entries.h"

namespace pollux {

inline constexpr size_t kMessageKinds = std::variant_size_v<decltype(PeerMessage::body)>;

class RandomMessages {
 public:
  explicit RandomMessages(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) schemas_.push_back(random_.schema());
  }

  uint64_t below(uint64_t bound) { return random_.below(bound); }

  PeerMessage message(size_t kind) { return {number(), body(kind)}; }
  PeerMessage message() { return message(below(kMessageKinds)); }

  Entries entries(size_t count) {
    Entries made;
    made.nonce = id<SessionNonce>();
    made.before = {{1 + below(5)}, {1 + below(1000)}};
    if (below(4) == 0) made.before = {};
    EntryId last = made.before;
    for (size_t i = 0; i < count; ++i) {
      Entry entry = random_.entry();
      if (below(3) != 0) {
        entry.payload =
            EventsPayload{random_.batch(schemas_[below(3)], static_cast<uint32_t>(below(40))),
                          random_.text(10), number()};
      }
      last = {{last.epoch.value + below(2)}, {last.position.value + 1}};
      entry.id = last;
      made.entries.push_back(std::move(entry));
    }
    made.epoch = {last.epoch.value + below(3)};
    made.committed = {number()};
    made.applied = {number()};
    return made;
  }

  NodeCard card() {
    NodeCard made;
    made.version_min = static_cast<uint16_t>(1 + below(3));
    made.version_max = static_cast<uint16_t>(made.version_min + below(3));
    made.process = id<ProcessId>();
    made.attempt = number();
    made.fingerprint = number();
    made.domain = random_.text(30);
    made.node = random_.text(30);
    made.membership = random_.text(30);
    made.event_sync = random_.text(30);
    if (made.version_max > 1) {
      made.semantics_min = static_cast<uint32_t>(1 + below(3));
      made.semantics_max = static_cast<uint32_t>(made.semantics_min + below(3));
    }
    return made;
  }

  ForwardedBatch forward() {
    ForwardedBatch made;
    made.request = number();
    made.wait = below(2) == 0;
    made.events.batch = random_.batch(schemas_[below(3)], static_cast<uint32_t>(below(40)));
    made.events.producer = random_.text(20);
    made.events.number = number();
    if (below(3) == 0) {
      made.copy.emplace();
      made.copy->behind = {number()};
      for (uint32_t row = 0; row < made.events.batch->rows(); ++row) {
        made.copy->beyond.push_back(static_cast<uint32_t>(1 + below(5)));
      }
    }
    return made;
  }

  /// Some of them as a whole, and some as what stands for events of rows and of producers.
  Orders orders(size_t count) {
    Entries whole = entries(count);
    Orders made{whole.nonce, whole.epoch, whole.before, {}, whole.committed, whole.applied};
    for (Entry& entry : whole.entries) {
      const auto* events = std::get_if<EventsPayload>(&entry.payload);
      const bool whole_one = events == nullptr || events->batch->rows() == 0 || below(4) == 0;
      if (whole_one) {
        made.entries.emplace_back(std::move(entry));
        continue;
      }
      EventsOrder order;
      order.id = entry.id;
      order.timestamp = entry.timestamp;
      order.schema = events->batch->schema_ptr();
      order.number = number();
      if (below(2) == 0) order.producer = "p" + random_.text(10);
      order.times = events->batch->timestamps();
      if (below(2) == 0) order.times.assign(order.times.size(), static_cast<int64_t>(number()));
      if (order.producer.empty()) {
        for (size_t row = 0; row < order.times.size(); ++row) {
          order.rows.push_back({number(), number()});
        }
      }
      order.one_chunk = below(2) == 0;
      order.content = number();
      made.entries.emplace_back(std::move(order));
    }
    return made;
  }

  ForwardedAnswer forward_answer() {
    ForwardedAnswer made;
    made.request = number();
    auto code = static_cast<absl::StatusCode>(below(17));
    if (code != absl::StatusCode::kOk) made.status = absl::Status(code, random_.text(100));
    made.id = entry_id();
    made.accepted = number();
    made.duplicate = below(2) == 0;
    made.expected_number = number();
    made.retry_after_ms = number();
    return made;
  }

  /// Small ones, and such that use all bits.
  uint64_t number() {
    uint64_t all = random_.below(UINT64_MAX);
    return below(3) == 0 ? all : all % 1000;
  }
  std::string text(size_t bytes_max) { return random_.text(bytes_max); }

 private:
  template <class Id>
  Id id() {
    return Id{number() + 1, number()};
  }
  EntryId entry_id() { return {{number()}, {number()}}; }

  EpochHistory history() {
    std::vector<EntryId> ends;
    EntryId last;
    for (size_t i = below(6); i > 0; --i) {
      last = {{last.epoch.value + 1 + below(3)}, {last.position.value + 1 + below(100)}};
      ends.push_back(last);
    }
    return EpochHistory(std::move(ends));
  }

  decltype(PeerMessage::body) body(size_t kind) {
    switch (kind) {
      case 0:
        return Heartbeat{id<JournalId>(), static_cast<Role>(below(7)),
                         {number()},      entry_id(),
                         {number()},      below(2) == 0,
                         below(2) == 0};
      case 1: {
        DomainId domain = below(2) == 0 ? DomainId{} : id<DomainId>();
        Hello made{domain, id<JournalId>(), id<SessionNonce>(), {number()}, history()};
        if (below(3) == 0) {
          made.copies_of = 1 + number();
          made.in_full = static_cast<uint32_t>(below(1000));
        }
        return made;
      }
      case 2:
        return Welcome{id<SessionNonce>(), {number()}, entry_id(), entry_id()};
      case 3:
        return SnapshotNeeded{id<SessionNonce>(), {number()}, below(2) == 0};
      case 4:
        return entries(below(6));
      case 5:
        return Ack{{number()}, id<JournalId>(), {number()}, {number()}};
      case 6:
        return SwitchOver{id<SessionNonce>(), {number()}, entry_id()};
      case 7:
        return confirmed();
      case 8:
        return plan_hashes();
      case 9:
        return apply_deaths();
      default:
        return orders(below(6));
    }
  }

  PlanHashes plan_hashes() {
    PlanHashes made{{number()}, id<JournalId>(), {}};
    for (size_t i = below(5); i > 0; --i) {
      auto kind = static_cast<HashKind>(1 + below(kHashKinds));
      made.hashes.push_back({random_.text(10), kind, {number()}, number()});
    }
    return made;
  }

  ApplyDeaths apply_deaths() {
    ApplyDeaths made;
    for (size_t i = below(5); i > 0; --i) {
      made.known.push_back({random_.text(10), entry_id(), static_cast<uint32_t>(number())});
    }
    return made;
  }

  Confirmed confirmed() {
    Confirmed made;
    for (size_t sinks = below(4); sinks > 0; --sinks) {
      LastIds& plans = made.sinks[random_.text(10)];
      for (size_t i = below(4); i > 0; --i) {
        plans[random_.text(10)] = {entry_id(), static_cast<uint32_t>(number())};
      }
    }
    return made;
  }

  RandomEntries random_;
  std::vector<SchemaPtr> schemas_;
};

}  // namespace pollux
