#include "ha/wire/orders_codec.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "ha/wire/wire_ids.h"
#include "persistence/codec/entry_codec.h"

namespace pollux {
namespace {

constexpr size_t kItemHeaderBytes = 8;
constexpr uint8_t kOneChunk = 1;
constexpr uint8_t kOneTime = 2;

enum class Item : uint8_t { kEntry = 0, kOrder = 1, kSchema = 2 };

absl::Status broken() { return absl::DataLossError("orders that cannot be read"); }

void put_item(std::string& out, Item item) {
  put_scalar(out, static_cast<uint8_t>(item));
  out.append(kItemHeaderBytes - 1, '\0');
}

/// In groups of seven bits; the sign stands last, so that small steps back are short as well.
void put_step(std::string& out, int64_t from, int64_t to) {
  const uint64_t step = static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
  uint64_t zigzag = (step << 1) ^ (0 - (step >> 63));
  for (; zigzag >= 128; zigzag >>= 7) out.push_back(static_cast<char>(zigzag | 128));
  out.push_back(static_cast<char>(zigzag));
}

int64_t take_step(PayloadReader& reader, int64_t from) {
  uint64_t zigzag = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto group = reader.number<uint8_t>();
    const bool last = group < 128;
    // One way of writing only: no empty group at the end, and nothing beyond 64 bits.
    if ((last && group == 0 && shift > 0) || (shift == 63 && group > 1)) reader.fail();
    if (reader.failed()) return from;
    zigzag |= static_cast<uint64_t>(group & 127) << shift;
    if (last) break;
  }
  const uint64_t step = (zigzag >> 1) ^ (0 - (zigzag & 1));
  return static_cast<int64_t>(static_cast<uint64_t>(from) + step);
}

bool are_one(const std::vector<int64_t>& times) {
  return std::adjacent_find(times.begin(), times.end(), std::not_equal_to<>()) == times.end();
}

void put_order(const EventsOrder& order, SchemaSet& schemas, size_t begin, std::string& out) {
  if (!schemas.contains(schemas.hash_of(order.schema))) put_item(out, Item::kSchema);
  const uint64_t schema = encode_schema_once(order.schema, schemas, out);
  put_item(out, Item::kOrder);
  const bool one_time = are_one(order.times);
  put_scalar(out,
             static_cast<uint8_t>((order.one_chunk ? kOneChunk : 0) | (one_time ? kOneTime : 0)));
  out.append(3, '\0');
  put_scalar(out, static_cast<uint32_t>(order.times.size()));
  put_entry_id(out, order.id);
  put_scalar(out, order.timestamp.ms);
  put_scalar(out, schema);
  put_scalar(out, order.content);
  put_scalar(out, order.number);
  put_sized_text(out, order.producer);
  for (const RowIdentity& row : order.rows) {
    put_scalar(out, row.high);
    put_scalar(out, row.low);
  }
  int64_t before = order.timestamp.ms;
  for (size_t row = 0; row < (one_time ? 1 : order.times.size()); ++row) {
    put_step(out, before, order.times[row]);
    before = order.times[row];
  }
  pad_payload(out, begin);
}

void take_times(PayloadReader& reader, size_t rows, bool one_time, EventsOrder& order) {
  int64_t before = order.timestamp.ms;
  for (size_t row = 0; row < (one_time ? 1 : rows) && !reader.failed(); ++row) {
    before = take_step(reader, before);
    order.times.push_back(before);
  }
  if (reader.failed()) return;
  if (one_time) {
    order.times.resize(rows, before);
  } else if (are_one(order.times)) {
    reader.fail();
  }
}

absl::StatusOr<EventsOrder> take_order(PayloadReader& reader, const SchemaTable& schemas,
                                       size_t rows_max) {
  EventsOrder order;
  const auto flags = reader.number<uint8_t>();
  take_zeros(reader, 3);
  const auto rows = reader.number<uint32_t>();
  order.id = take_entry_id(reader);
  order.timestamp.ms = reader.number<int64_t>();
  const auto schema = reader.number<uint64_t>();
  order.content = reader.number<uint64_t>();
  order.number = reader.number<uint64_t>();
  order.producer = std::string(reader.text());
  order.one_chunk = (flags & kOneChunk) != 0;
  const bool one_time = (flags & kOneTime) != 0;
  if (flags > (kOneChunk | kOneTime) || rows == 0 || rows > rows_max) reader.fail();
  if (reader.failed()) return broken();
  order.schema = schemas.find(schema);
  if (order.schema == nullptr) return absl::FailedPreconditionError("an order without its schema");
  if (order.producer.empty()) {
    if (rows > reader.left() / sizeof(RowIdentity)) return broken();
    order.rows.resize(rows);
    for (RowIdentity& row : order.rows) {
      row.high = reader.number<uint64_t>();
      row.low = reader.number<uint64_t>();
    }
  }
  take_times(reader, rows, one_time, order);
  reader.padding();
  if (reader.failed()) return broken();
  return order;
}

/// The next record that is no schema; nothing where it is one.
absl::StatusOr<std::optional<Entry>> take_record(PayloadReader& reader, SchemaTable& schemas) {
  PayloadReader ahead = reader;
  RecordFrame record = read_frame(ahead.bytes(ahead.left()));
  if (record.state != FrameState::kWhole) return broken();
  reader.bytes(record.bytes);
  return decode_entry(record, schemas);
}

absl::Status take_entry(PayloadReader& reader, SchemaTable& schemas, Orders& orders) {
  while (true) {
    absl::StatusOr<std::optional<Entry>> entry = take_record(reader, schemas);
    if (!entry.ok()) return entry.status();
    if (!*entry) continue;
    orders.entries.emplace_back(*std::move(*entry));
    return absl::OkStatus();
  }
}

absl::Status take_schema(PayloadReader& reader, SchemaTable& schemas) {
  absl::StatusOr<std::optional<Entry>> entry = take_record(reader, schemas);
  if (!entry.ok()) return entry.status();
  return *entry ? broken() : absl::OkStatus();
}

}  // namespace

absl::Status encode_orders(const Orders& orders, SchemaSet& schemas, std::string& out) {
  const size_t begin = out.size();
  put_id(out, orders.nonce);
  put_scalar(out, orders.epoch.value);
  put_entry_id(out, orders.before);
  put_scalar(out, orders.committed.value);
  put_scalar(out, orders.applied.value);
  put_scalar(out, static_cast<uint32_t>(orders.entries.size()));
  put_scalar(out, uint32_t{0});
  for (const OrderedEntry& one : orders.entries) {
    if (const auto* order = std::get_if<EventsOrder>(&one)) {
      put_order(*order, schemas, begin, out);
      continue;
    }
    put_item(out, Item::kEntry);
    absl::Status encoded = encode_entry(std::get<Entry>(one), schemas, out);
    if (!encoded.ok()) return encoded;
  }
  return absl::OkStatus();
}

absl::StatusOr<Orders> take_orders(PayloadReader& reader, SchemaTable& schemas) {
  Orders orders;
  orders.nonce = take_id<SessionNonce>(reader);
  orders.epoch.value = reader.number<uint64_t>();
  orders.before = take_entry_id(reader);
  orders.committed.value = reader.number<uint64_t>();
  orders.applied.value = reader.number<uint64_t>();
  const auto count = reader.number<uint32_t>();
  take_zeros(reader, 4);
  if (reader.failed() || count > reader.left() / kItemHeaderBytes) return broken();
  orders.entries.reserve(count);
  size_t rows_left = kOrderRowsMax;
  while (orders.entries.size() < count) {
    const auto item = static_cast<Item>(reader.number<uint8_t>());
    take_zeros(reader, kItemHeaderBytes - 1);
    if (reader.failed() || item > Item::kSchema) return broken();
    if (item == Item::kOrder) {
      absl::StatusOr<EventsOrder> order = take_order(reader, schemas, rows_left);
      if (!order.ok()) return order.status();
      rows_left -= order->times.size();
      orders.entries.emplace_back(*std::move(order));
      continue;
    }
    absl::Status taken =
        item == Item::kEntry ? take_entry(reader, schemas, orders) : take_schema(reader, schemas);
    if (!taken.ok()) return taken;
  }
  return orders;
}

}  // namespace pollux
