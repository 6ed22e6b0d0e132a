#include "persistence/codec/entry_codec.h"

#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "persistence/codec/batch_codec.h"
#include "persistence/codec/bytes.h"

namespace pollux {
namespace {

struct PayloadEncoder {
  uint64_t schema_hash;
  size_t begin;
  std::string& out;

  void operator()(const EventsPayload& events) const {
    put_scalar(out, events.number);
    put_scalar(out, static_cast<uint32_t>(events.producer.size()));
    put_scalar(out, static_cast<uint32_t>(events.found.size()));
    out += events.producer;
    pad_payload(out, begin);
    encode_batch(*events.batch, schema_hash, begin, out);
    for (const FoundRows& found : events.found) {
      put_sized_text(out, found.table);
      put_batch_with_schema(*found.rows);
    }
  }
  void operator()(const TickPayload&) const {}
  void operator()(const DeployPayload& deploy) const {
    put_scalar(out, deploy.semantics_version);
    put_scalar(out, static_cast<uint8_t>(deploy.dialect));
    put_scalar(out, static_cast<uint8_t>(deploy.replace));
    put_scalar(out, static_cast<uint8_t>(deploy.stored.empty() ? 0 : 1));
    put_scalar(out, uint8_t{0});
    for (const std::string* text : {&deploy.plan, &deploy.text, &deploy.source, &deploy.origin}) {
      put_sized_text(out, *text);
    }
    if (!deploy.stored.empty()) put_stored(deploy.stored);
  }
  void put_stored(const std::vector<StoredRows>& stored) const {
    put_scalar(out, static_cast<uint32_t>(stored.size()));
    for (const StoredRows& rows : stored) {
      put_sized_text(out, rows.stream);
      put_scalar(out, rows.from_ms);
      put_scalar(out, static_cast<uint32_t>(rows.batches.size()));
      for (const EventBatchPtr& batch : rows.batches) put_batch_with_schema(*batch);
    }
  }
  void put_batch_with_schema(const EventBatch& batch) const {
    std::string schema;
    encode_schema(batch.schema(), schema);
    put_sized_text(out, schema);
    pad_payload(out, begin);
    encode_batch(batch, XXH3_64bits(schema.data(), schema.size()), begin, out);
  }
  void operator()(const UndeployPayload& undeploy) const { put_sized_text(out, undeploy.plan); }
  void operator()(const PersistPayload&) const {}
  void operator()(const WritePayload& write) const {
    put_sized_text(out, write.plan);
    put_sized_text(out, write.text);
  }
  void operator()(const EpochBeginPayload& epoch) const { put_sized_text(out, epoch.node); }
};

/// A batch behind its schema, which stands there as encode_schema() writes it.
absl::StatusOr<EventBatchPtr> take_batch_with_schema(PayloadReader& reader) {
  absl::Status broken = absl::DataLossError("rows of a store that cannot be read");
  std::string_view encoded = reader.text();
  reader.padding();
  std::string padded(encoded);  // as schemas stand in records of their own
  pad_payload(padded, 0);
  absl::StatusOr<SchemaPtr> schema = decode_schema(padded);
  if (reader.failed() || !schema.ok()) return broken;
  std::string again;
  encode_schema(**schema, again);
  SchemaTable table;
  if (again != encoded || !table.add(padded).ok()) return broken;
  absl::StatusOr<std::shared_ptr<EventBatch>> batch = decode_batch(reader, table);
  if (!batch.ok()) return broken;
  return EventBatchPtr(*std::move(batch));
}

absl::StatusOr<EntryPayload> take_events(PayloadReader& reader, const SchemaTable& schemas) {
  EventsPayload events;
  events.number = reader.number<uint64_t>();
  auto name_bytes = reader.number<uint32_t>();
  auto tables = reader.number<uint32_t>();
  events.producer = std::string(reader.bytes(name_bytes));
  reader.padding();
  absl::StatusOr<std::shared_ptr<EventBatch>> batch = decode_batch(reader, schemas);
  if (!batch.ok()) return batch.status();
  events.batch = *std::move(batch);
  for (uint32_t t = 0; t < tables && !reader.failed(); ++t) {
    std::string table(reader.text());
    absl::StatusOr<EventBatchPtr> rows = take_batch_with_schema(reader);
    if (!rows.ok()) return rows.status();
    events.found.push_back({std::move(table), *std::move(rows)});
  }
  return EntryPayload(std::move(events));
}

absl::Status take_stored(PayloadReader& reader, std::vector<StoredRows>& stored) {
  auto holders = reader.number<uint32_t>();
  if (holders == 0) reader.fail();
  for (uint32_t h = 0; h < holders && !reader.failed(); ++h) {
    StoredRows rows;
    rows.stream = std::string(reader.text());
    rows.from_ms = reader.number<int64_t>();
    auto batches = reader.number<uint32_t>();
    for (uint32_t b = 0; b < batches && !reader.failed(); ++b) {
      absl::StatusOr<EventBatchPtr> batch = take_batch_with_schema(reader);
      if (!batch.ok()) return batch.status();
      rows.batches.push_back(*std::move(batch));
    }
    stored.push_back(std::move(rows));
  }
  return absl::OkStatus();
}

absl::StatusOr<EntryPayload> take_deploy(PayloadReader& reader) {
  DeployPayload deploy;
  deploy.semantics_version = reader.number<uint32_t>();
  deploy.dialect = static_cast<Dialect>(reader.number<uint8_t>());
  if (deploy.dialect != Dialect::k51 && deploy.dialect != Dialect::k31) reader.fail();
  auto replace = reader.number<uint8_t>();
  if (replace > 1) reader.fail();
  deploy.replace = replace == 1;
  auto has_stored = reader.number<uint8_t>();
  if (has_stored > 1 || reader.number<uint8_t>() != 0) reader.fail();
  for (std::string* text : {&deploy.plan, &deploy.text, &deploy.source, &deploy.origin}) {
    *text = std::string(reader.text());
  }
  if (has_stored == 1) {
    absl::Status taken = take_stored(reader, deploy.stored);
    if (!taken.ok()) return taken;
  }
  return EntryPayload(std::move(deploy));
}

EntryPayload take_write(PayloadReader& reader) {
  WritePayload write;
  write.plan = std::string(reader.text());
  write.text = std::string(reader.text());
  return write;
}

absl::StatusOr<EntryPayload> take_payload(RecordType type, PayloadReader& reader,
                                          const SchemaTable& schemas) {
  switch (type) {
    case RecordType::kEvents:
      return take_events(reader, schemas);
    case RecordType::kTick:
      return EntryPayload(TickPayload{});
    case RecordType::kDeploy:
      return take_deploy(reader);
    case RecordType::kUndeploy:
      return EntryPayload(UndeployPayload{std::string(reader.text())});
    case RecordType::kPersist:
      return EntryPayload(PersistPayload{});
    case RecordType::kWrite:
      return take_write(reader);
    case RecordType::kEpochBegin:
      return EntryPayload(EpochBeginPayload{std::string(reader.text())});
    default:
      return absl::DataLossError("a record of type " + std::to_string(static_cast<int>(type)) +
                                 " where an entry is due");
  }
}

absl::Status encode_record(const Entry& entry, uint64_t schema_hash, std::string& out) {
  size_t begin = begin_record(out);
  std::visit(PayloadEncoder{schema_hash, begin + kRecordHeaderBytes, out}, entry.payload);
  auto type = static_cast<RecordType>(entry.type());
  return end_record(out, begin, {type, entry.id, entry.timestamp});
}

}  // namespace

absl::Status encode_entry(const Entry& entry, SchemaSet& known, std::string& out) {
  uint64_t schema_hash = 0;
  if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
    schema_hash = encode_schema_once(events->batch->schema_ptr(), known, out);
  }
  if (entry.record == nullptr) return encode_record(entry, schema_hash, out);
  out += *entry.record;
  return absl::OkStatus();
}

absl::Status keep_record(Entry& entry, SchemaSet& schemas) {
  const auto* events = std::get_if<EventsPayload>(&entry.payload);
  if (events == nullptr || entry.record != nullptr) return absl::OkStatus();
  auto record = std::make_shared<std::string>();
  record->reserve(kRecordHeaderBytes + bytes_held(*events));
  absl::Status encoded =
      encode_record(entry, schemas.hash_of(events->batch->schema_ptr()), *record);
  if (encoded.ok()) entry.record = std::move(record);
  return encoded;
}

absl::StatusOr<std::optional<Entry>> decode_entry(const RecordFrame& frame, SchemaTable& schemas) {
  POLLUX_CHECK(frame.state == FrameState::kWhole);
  if (frame.header.type == RecordType::kSchema) {
    absl::Status added = schemas.add(frame.payload);
    if (!added.ok()) return added;
    return std::nullopt;
  }
  PayloadReader reader(frame.payload);
  absl::StatusOr<EntryPayload> payload = take_payload(frame.header.type, reader, schemas);
  if (!payload.ok()) return payload.status();
  if (!reader.finish()) return absl::DataLossError("an entry that cannot be read");
  return Entry{frame.header.id, frame.header.timestamp, *std::move(payload)};
}

}  // namespace pollux
