#include "ha/wire/message_codec.h"

#include <utility>
#include <variant>
#include <vector>

#include "ha/pair/recent_entries.h"
#include "ha/wire/orders_codec.h"
#include "ha/wire/packing.h"
#include "ha/wire/wire_ids.h"
#include "persistence/codec/entry_codec.h"

namespace pollux {
namespace {

constexpr size_t kEntryIdBytes = 16;
constexpr size_t kSinkBytesMin = 8;
constexpr size_t kPlanBytesMin = 4 + kEntryIdBytes + 4;
constexpr size_t kHashBytesMin = 4 + 4 + 8 + 8;

absl::Status broken() { return absl::DataLossError("a message that cannot be read"); }

WireType type_of(const PeerMessage& message) {
  constexpr WireType kTypes[] = {
      WireType::kHeartbeat,      WireType::kHello,     WireType::kWelcome,
      WireType::kSnapshotNeeded, WireType::kEntries,   WireType::kAck,
      WireType::kSwitchOver,     WireType::kConfirmed, WireType::kPlanHashes,
      WireType::kApplyDeaths,    WireType::kOrders};
  static_assert(std::size(kTypes) == std::variant_size_v<decltype(PeerMessage::body)>);
  return kTypes[message.body.index()];
}

struct BodyEncoder {
  SchemaSet& schemas;
  std::string& out;

  absl::Status operator()(const Heartbeat& heartbeat) const {
    put_id(out, heartbeat.journal);
    put_scalar(out, static_cast<uint8_t>(heartbeat.role));
    put_scalar(out, static_cast<uint8_t>(heartbeat.leads));
    put_scalar(out, static_cast<uint8_t>(heartbeat.blank));
    out.append(5, '\0');
    put_scalar(out, heartbeat.epoch.value);
    put_entry_id(out, heartbeat.tail);
    put_scalar(out, heartbeat.committed.value);
    return absl::OkStatus();
  }
  absl::Status operator()(const Hello& hello) const {
    put_id(out, hello.domain);
    put_id(out, hello.journal);
    put_id(out, hello.nonce);
    put_scalar(out, hello.led.value);
    const bool more = hello.copies_of != 0;
    put_scalar(out, static_cast<uint32_t>(hello.history.ends().size()));
    put_scalar(out, static_cast<uint32_t>(more));
    for (const EntryId& end : hello.history.ends()) put_entry_id(out, end);
    if (!more) return absl::OkStatus();
    put_scalar(out, hello.copies_of);
    put_scalar(out, hello.in_full);
    put_scalar(out, uint32_t{0});
    return absl::OkStatus();
  }
  absl::Status operator()(const Welcome& welcome) const {
    put_id(out, welcome.nonce);
    put_scalar(out, welcome.epoch.value);
    put_entry_id(out, welcome.match);
    put_entry_id(out, welcome.tail);
    return absl::OkStatus();
  }
  absl::Status operator()(const SnapshotNeeded& needed) const {
    put_id(out, needed.nonce);
    put_scalar(out, needed.epoch.value);
    put_scalar(out, static_cast<uint8_t>(needed.sender_alone));
    out.append(7, '\0');
    return absl::OkStatus();
  }
  absl::Status operator()(const Entries& entries) const {
    put_id(out, entries.nonce);
    put_scalar(out, entries.epoch.value);
    put_entry_id(out, entries.before);
    put_scalar(out, entries.committed.value);
    put_scalar(out, entries.applied.value);
    put_scalar(out, static_cast<uint32_t>(entries.entries.size()));
    put_scalar(out, uint32_t{0});
    for (const Entry& entry : entries.entries) {
      absl::Status encoded = encode_entry(entry, schemas, out);
      if (!encoded.ok()) return encoded;
    }
    return absl::OkStatus();
  }
  absl::Status operator()(const Ack& ack) const {
    put_scalar(out, ack.epoch.value);
    put_id(out, ack.journal);
    put_scalar(out, ack.matched.value);
    put_scalar(out, ack.applied.value);
    return absl::OkStatus();
  }
  absl::Status operator()(const SwitchOver& order) const {
    put_id(out, order.nonce);
    put_scalar(out, order.epoch.value);
    put_entry_id(out, order.tail);
    return absl::OkStatus();
  }
  absl::Status operator()(const Confirmed& confirmed) const {
    put_scalar(out, static_cast<uint32_t>(confirmed.sinks.size()));
    for (const auto& [sink, plans] : confirmed.sinks) {
      put_sized_text(out, sink);
      put_scalar(out, static_cast<uint32_t>(plans.size()));
      for (const auto& [plan, last] : plans) {
        put_sized_text(out, plan);
        put_entry_id(out, last.cause);
        put_scalar(out, last.ordinal);
      }
    }
    return absl::OkStatus();
  }
  absl::Status operator()(const PlanHashes& told) const {
    put_scalar(out, told.epoch.value);
    put_id(out, told.journal);
    put_scalar(out, static_cast<uint32_t>(told.hashes.size()));
    put_scalar(out, uint32_t{0});
    for (const PlanHash& hash : told.hashes) {
      put_sized_text(out, hash.plan);
      put_scalar(out, static_cast<uint32_t>(hash.kind));
      put_scalar(out, hash.at.value);
      put_scalar(out, hash.hash);
    }
    return absl::OkStatus();
  }
  absl::Status operator()(const ApplyDeaths& told) const {
    put_scalar(out, static_cast<uint32_t>(told.known.size()));
    for (const ApplyDeaths::Known& known : told.known) {
      put_sized_text(out, known.plan);
      put_entry_id(out, known.entry);
      put_scalar(out, known.deaths);
    }
    return absl::OkStatus();
  }
  absl::Status operator()(const Orders& orders) const {
    return encode_orders(orders, schemas, out);
  }
};

Heartbeat take_heartbeat(PayloadReader& reader) {
  Heartbeat heartbeat;
  heartbeat.journal = take_id<JournalId>(reader);
  heartbeat.role = static_cast<Role>(reader.number<uint8_t>());
  if (heartbeat.role > Role::kStopping) reader.fail();
  heartbeat.leads = take_flag(reader);
  heartbeat.blank = take_flag(reader);
  take_zeros(reader, 5);
  heartbeat.epoch.value = reader.number<uint64_t>();
  heartbeat.tail = take_entry_id(reader);
  heartbeat.committed.value = reader.number<uint64_t>();
  return heartbeat;
}

Hello take_hello(PayloadReader& reader) {
  Hello hello;
  hello.domain = take_id<DomainId>(reader);
  hello.journal = take_id<JournalId>(reader);
  hello.nonce = take_id<SessionNonce>(reader);
  hello.led.value = reader.number<uint64_t>();
  auto count = reader.number<uint32_t>();
  auto more = reader.number<uint32_t>();
  if (more > 1 || count > reader.left() / kEntryIdBytes) reader.fail();
  if (reader.failed()) return hello;
  std::vector<EntryId> ends;
  ends.reserve(count);
  for (uint32_t i = 0; i < count; ++i) ends.push_back(take_entry_id(reader));
  hello.history = EpochHistory(std::move(ends));
  if (more == 0) return hello;
  hello.copies_of = reader.number<uint64_t>();
  hello.in_full = reader.number<uint32_t>();
  take_zeros(reader, 4);
  if (hello.copies_of == 0) reader.fail();
  return hello;
}

Welcome take_welcome(PayloadReader& reader) {
  Welcome welcome;
  welcome.nonce = take_id<SessionNonce>(reader);
  welcome.epoch.value = reader.number<uint64_t>();
  welcome.match = take_entry_id(reader);
  welcome.tail = take_entry_id(reader);
  return welcome;
}

SnapshotNeeded take_snapshot_needed(PayloadReader& reader) {
  SnapshotNeeded needed;
  needed.nonce = take_id<SessionNonce>(reader);
  needed.epoch.value = reader.number<uint64_t>();
  needed.sender_alone = take_flag(reader);
  take_zeros(reader, 7);
  return needed;
}

Ack take_ack(PayloadReader& reader) {
  Ack ack;
  ack.epoch.value = reader.number<uint64_t>();
  ack.journal = take_id<JournalId>(reader);
  ack.matched.value = reader.number<uint64_t>();
  ack.applied.value = reader.number<uint64_t>();
  return ack;
}

SwitchOver take_switch_over(PayloadReader& reader) {
  SwitchOver order;
  order.nonce = take_id<SessionNonce>(reader);
  order.epoch.value = reader.number<uint64_t>();
  order.tail = take_entry_id(reader);
  return order;
}

LastIds take_last_ids(PayloadReader& reader) {
  LastIds ids;
  auto count = reader.number<uint32_t>();
  if (count > reader.left() / kPlanBytesMin) reader.fail();
  for (; count > 0 && !reader.failed(); --count) {
    std::string plan(reader.text());
    PlanRow last;
    last.cause = take_entry_id(reader);
    last.ordinal = reader.number<uint32_t>();
    if (!ids.empty() && ids.rbegin()->first >= plan) reader.fail();
    ids.emplace_hint(ids.end(), std::move(plan), last);
  }
  return ids;
}

Confirmed take_confirmed(PayloadReader& reader) {
  Confirmed confirmed;
  auto& sinks = confirmed.sinks;
  auto count = reader.number<uint32_t>();
  if (count > reader.left() / kSinkBytesMin) reader.fail();
  for (; count > 0 && !reader.failed(); --count) {
    std::string sink(reader.text());
    if (!sinks.empty() && sinks.rbegin()->first >= sink) reader.fail();
    sinks.emplace_hint(sinks.end(), std::move(sink), take_last_ids(reader));
  }
  return confirmed;
}

PlanHashes take_plan_hashes(PayloadReader& reader) {
  PlanHashes told;
  told.epoch.value = reader.number<uint64_t>();
  told.journal = take_id<JournalId>(reader);
  auto count = reader.number<uint32_t>();
  take_zeros(reader, 4);
  if (count > PlanHashes::kMax || count > reader.left() / kHashBytesMin) reader.fail();
  if (reader.failed()) return told;
  told.hashes.reserve(count);
  for (; count > 0 && !reader.failed(); --count) {
    PlanHash& hash = told.hashes.emplace_back();
    hash.plan = std::string(reader.text());
    auto kind = reader.number<uint32_t>();
    if (kind == 0 || kind > kHashKinds) reader.fail();
    hash.kind = static_cast<HashKind>(kind);
    hash.at.value = reader.number<uint64_t>();
    hash.hash = reader.number<uint64_t>();
  }
  return told;
}

ApplyDeaths take_apply_deaths(PayloadReader& reader) {
  ApplyDeaths told;
  auto count = reader.number<uint32_t>();
  if (count > ApplyDeaths::kMax || count > reader.left() / kPlanBytesMin) reader.fail();
  if (reader.failed()) return told;
  told.known.reserve(count);
  for (; count > 0 && !reader.failed(); --count) {
    ApplyDeaths::Known& known = told.known.emplace_back();
    known.plan = std::string(reader.text());
    known.entry = take_entry_id(reader);
    known.deaths = reader.number<uint32_t>();
  }
  return told;
}

absl::StatusOr<Entries> take_entries(PayloadReader& reader, SchemaTable& schemas) {
  Entries message;
  message.nonce = take_id<SessionNonce>(reader);
  message.epoch.value = reader.number<uint64_t>();
  message.before = take_entry_id(reader);
  message.committed.value = reader.number<uint64_t>();
  message.applied.value = reader.number<uint64_t>();
  auto count = reader.number<uint32_t>();
  take_zeros(reader, 4);
  std::string_view records = reader.bytes(reader.left());
  if (reader.failed() || count > records.size() / kRecordHeaderBytes) return broken();
  message.entries.reserve(count);
  while (!records.empty()) {
    RecordFrame record = read_frame(records);
    if (record.state != FrameState::kWhole) return broken();
    std::string_view bytes = records.substr(0, record.bytes);
    records.remove_prefix(record.bytes);
    absl::StatusOr<std::optional<Entry>> entry = decode_entry(record, schemas);
    if (!entry.ok()) return entry.status();
    if (*entry) {
      Entry& added = message.entries.emplace_back(*std::move(*entry));
      if (added.type() == EntryType::kEvents) added.record = std::make_shared<std::string>(bytes);
    }
    // A schema stands before an entry, and there are as many of these as was said.
    if (message.entries.size() == count && !records.empty()) return broken();
  }
  if (message.entries.size() != count) return broken();
  return message;
}

/// R5, as far as the message alone can say: one entry after the other, behind `before`, and none
/// of an epoch that the sender has not reached.
EntryId id_of(const Entry& entry) { return entry.id; }

template <class Message>
absl::Status check_order(const Message& message) {
  EntryId before = message.before;
  bool good = before.epoch <= message.epoch && (before.position.value > 0 || before == EntryId{});
  for (const auto& entry : message.entries) {
    const EntryId id = id_of(entry);
    good = good && id.position.value == before.position.value + 1 && id.epoch >= before.epoch &&
           id.epoch <= message.epoch;
    before = id;
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError("entries that do not follow one another");
}

absl::Status check_meaning(const PeerMessage& message) {
  if (const auto* entries = std::get_if<Entries>(&message.body)) return check_order(*entries);
  if (const auto* orders = std::get_if<Orders>(&message.body)) return check_order(*orders);
  const auto* hello = std::get_if<Hello>(&message.body);
  if (hello != nullptr && !hello->history.is_valid()) {
    return absl::InvalidArgumentError("a history whose epochs or positions do not grow");
  }
  return absl::OkStatus();
}

}  // namespace

MessageEncoder::MessageEncoder(bool packs) {
  if (packs) packer_ = std::make_unique<PayloadPacker>();
}
MessageEncoder::~MessageEncoder() = default;

absl::Status MessageEncoder::encode(const PeerMessage& message, std::string& out) {
  size_t begin = begin_wire_frame(out);
  WireHeader header{type_of(message), 0, message.record_version};
  absl::Status encoded = std::visit(BodyEncoder{schemas_, out}, message.body);
  if (encoded.ok() && packer_ && header.type == WireType::kEntries &&
      out.size() - begin <= kWirePayloadBytesMax && packer_->pack(out, begin + kWireHeaderBytes)) {
    header.flags = kWirePacked;
  }
  if (encoded.ok()) encoded = end_wire_frame(out, begin, header);
  if (encoded.ok()) return encoded;
  out.resize(begin);
  schemas_.clear();  // some may have stood in what is gone; the other end may hear them twice
  return encoded;
}

absl::StatusOr<PeerMessage> MessageDecoder::decode(const WireFrame& frame) {
  const WireHeader& header = frame.header;
  bool packed = header.flags == kWirePacked && header.type == WireType::kEntries;
  if (header.flags != 0 && !packed) return broken();
  std::string plain;
  if (packed) {
    absl::StatusOr<std::string> unpacked = unpack_payload(frame.payload, kWirePayloadBytesMax);
    if (!unpacked.ok()) return unpacked.status();
    plain = *std::move(unpacked);
  }
  PayloadReader reader(packed ? std::string_view(plain) : frame.payload);
  PeerMessage message{header.record_version, {}};
  switch (header.type) {
    case WireType::kHeartbeat:
      message.body = take_heartbeat(reader);
      break;
    case WireType::kHello:
      message.body = take_hello(reader);
      break;
    case WireType::kWelcome:
      message.body = take_welcome(reader);
      break;
    case WireType::kSnapshotNeeded:
      message.body = take_snapshot_needed(reader);
      break;
    case WireType::kEntries: {
      absl::StatusOr<Entries> entries = take_entries(reader, schemas_);
      if (!entries.ok()) return entries.status();
      message.body = *std::move(entries);
      break;
    }
    case WireType::kAck:
      message.body = take_ack(reader);
      break;
    case WireType::kSwitchOver:
      message.body = take_switch_over(reader);
      break;
    case WireType::kConfirmed:
      message.body = take_confirmed(reader);
      break;
    case WireType::kPlanHashes:
      message.body = take_plan_hashes(reader);
      break;
    case WireType::kApplyDeaths:
      message.body = take_apply_deaths(reader);
      break;
    case WireType::kOrders: {
      absl::StatusOr<Orders> orders = take_orders(reader, schemas_);
      if (!orders.ok()) return orders.status();
      message.body = *std::move(orders);
      break;
    }
    default:
      return broken();
  }
  if (reader.failed() || reader.left() > 0) return broken();
  if (absl::Status sane = check_meaning(message); !sane.ok()) return sane;
  return message;
}

size_t bytes_of(const PeerMessage& message) {
  constexpr size_t kBytesOfOne = 128;
  size_t bytes = kBytesOfOne;
  if (const auto* entries = std::get_if<Entries>(&message.body)) {
    for (const Entry& entry : entries->entries) bytes += RecentEntries::bytes_of(entry);
  } else if (const auto* orders = std::get_if<Orders>(&message.body)) {
    for (const OrderedEntry& one : orders->entries) {
      const auto* order = std::get_if<EventsOrder>(&one);
      bytes += order != nullptr ? bytes_of(*order) : RecentEntries::bytes_of(std::get<Entry>(one));
    }
  } else if (const auto* hello = std::get_if<Hello>(&message.body)) {
    bytes += hello->history.ends().size() * kEntryIdBytes;
  } else if (const auto* confirmed = std::get_if<Confirmed>(&message.body)) {
    for (const auto& [sink, plans] : confirmed->sinks) {
      bytes += kBytesOfOne + sink.size();
      for (const auto& [plan, last] : plans) bytes += kPlanBytesMin + plan.size();
    }
  } else if (const auto* told = std::get_if<PlanHashes>(&message.body)) {
    for (const PlanHash& hash : told->hashes) bytes += kHashBytesMin + hash.plan.size();
  } else if (const auto* deaths = std::get_if<ApplyDeaths>(&message.body)) {
    for (const auto& known : deaths->known) bytes += kPlanBytesMin + known.plan.size();
  }
  return bytes;
}

}  // namespace pollux
