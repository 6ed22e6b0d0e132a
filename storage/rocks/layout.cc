#include "storage/rocks/layout.h"

#include <memory>
#include <utility>
#include <vector>

#include "storage/key_codec.h"
#include "storage/rocks/bytes.h"

namespace pollux::rocks {
namespace {

constexpr std::string_view kFormatName = "pollux record store";
constexpr uint8_t kTableRecordVersion = 1;

bool is_storable(uint8_t type) {
  return type >= static_cast<uint8_t>(AttributeType::kString) &&
         type <= static_cast<uint8_t>(AttributeType::kBool);
}

}  // namespace

std::string key_of(Kind kind) { return std::string(1, static_cast<char>(kind)); }

std::string key_of(Kind kind, uint32_t table) {
  std::string key = key_of(kind);
  append_ordered(key, table);
  return key;
}

std::string end_of(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

std::string table_key(std::string_view name) { return key_of(Kind::kTable).append(name); }

std::string progress_key(uint32_t table, std::string_view source) {
  return key_of(Kind::kProgress, table).append(source);
}

std::string time_key(Kind kind, uint32_t table, int64_t time_ms) {
  std::string key = key_of(kind, table);
  append_ordered(key, time_ms);
  return key;
}

std::string encode_format() {
  std::string bytes;
  put_text(bytes, kFormatName);
  put_varint(bytes, kFormatVersion);
  return bytes;
}

std::optional<uint64_t> decode_format(std::string_view bytes) {
  ByteReader from(bytes);
  if (from.text() != kFormatName) return std::nullopt;
  uint64_t version = from.varint();
  return from.ok() ? std::optional(version) : std::nullopt;
}

std::string encode_number(uint64_t number) {
  std::string bytes;
  put_fixed(bytes, number);
  return bytes;
}

std::optional<uint64_t> decode_number(std::string_view bytes) {
  ByteReader from(bytes);
  auto number = from.fixed<uint64_t>();
  return from.complete() ? std::optional(number) : std::nullopt;
}

std::string encode(const TableRecord& record) {
  std::string bytes;
  put_fixed(bytes, kTableRecordVersion);
  put_fixed(bytes, record.table);
  put_text(bytes, record.definition.name);
  put_fixed(bytes, record.definition.retention_ms);
  put_text(bytes, record.definition.schema->name());
  put_varint(bytes, record.definition.schema->size());
  for (const Attribute& column : record.definition.schema->attributes()) {
    put_fixed(bytes, static_cast<uint8_t>(column.type));
    put_text(bytes, column.name);
  }
  put_varint(bytes, record.definition.primary_key.size());
  for (const std::string& name : record.definition.primary_key) put_text(bytes, name);
  return bytes;
}

std::optional<TableRecord> decode_table(std::string_view bytes) {
  ByteReader from(bytes);
  if (from.fixed<uint8_t>() != kTableRecordVersion) return std::nullopt;
  TableRecord record;
  record.table = from.fixed<uint32_t>();
  record.definition.name = from.text();
  record.definition.retention_ms = from.fixed<int64_t>();
  std::string schema_name(from.text());
  std::vector<Attribute> columns;
  for (uint64_t left = from.varint(); from.ok() && left != 0; --left) {
    auto type = from.fixed<uint8_t>();
    if (!is_storable(type)) return std::nullopt;
    columns.push_back({std::string(from.text()), static_cast<AttributeType>(type)});
  }
  for (uint64_t left = from.varint(); from.ok() && left != 0; --left) {
    record.definition.primary_key.emplace_back(from.text());
  }
  if (!from.complete()) return std::nullopt;
  record.definition.schema = std::make_shared<Schema>(std::move(schema_name), std::move(columns));
  if (!check_definition(record.definition).ok()) return std::nullopt;
  return record;
}

std::string encode(const Counters& counters) {
  std::string bytes;
  put_fixed(bytes, counters.rows);
  put_fixed(bytes, counters.next_arrival);
  return bytes;
}

std::optional<Counters> decode_counters(std::string_view bytes) {
  ByteReader from(bytes);
  Counters counters;
  counters.rows = from.fixed<uint64_t>();
  counters.next_arrival = from.fixed<uint64_t>();
  return from.complete() ? std::optional(counters) : std::nullopt;
}

std::string encode(const RowId& id) {
  std::string bytes;
  put_fixed(bytes, id.entry.epoch.value);
  put_fixed(bytes, id.entry.position.value);
  put_fixed(bytes, id.ordinal);
  return bytes;
}

std::optional<RowId> decode_row_id(std::string_view bytes) {
  ByteReader from(bytes);
  RowId id;
  id.entry.epoch.value = from.fixed<uint64_t>();
  id.entry.position.value = from.fixed<uint64_t>();
  id.ordinal = from.fixed<uint32_t>();
  return from.complete() ? std::optional(id) : std::nullopt;
}

}  // namespace pollux::rocks
