#include "persistence/codec/schema_codec.h"

#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/record.h"

namespace pollux {

void encode_schema(const Schema& schema, std::string& out) {
  put_sized_text(out, schema.name());
  put_scalar(out, static_cast<uint32_t>(schema.size()));
  for (const Attribute& attribute : schema.attributes()) {
    put_scalar(out, static_cast<uint8_t>(attribute.type));
    put_sized_text(out, attribute.name);
  }
}

absl::StatusOr<SchemaPtr> decode_schema(std::string_view bytes) {
  constexpr size_t kAttributeBytesMin = 5;
  PayloadReader reader(bytes);
  std::string name(reader.text());
  auto count = reader.number<uint32_t>();
  if (count > reader.left() / kAttributeBytesMin) reader.fail();
  std::vector<Attribute> attributes;
  for (uint32_t i = 0; i < count && !reader.failed(); ++i) {
    auto type = static_cast<AttributeType>(reader.number<uint8_t>());
    if (width_of(type) == 0) reader.fail();
    attributes.push_back({std::string(reader.text()), type});
  }
  if (!reader.finish()) return absl::DataLossError("a schema that cannot be read");
  return std::make_shared<const Schema>(std::move(name), std::move(attributes));
}

uint64_t schema_hash(const Schema& schema) {
  std::string encoded;
  encode_schema(schema, encoded);
  return XXH3_64bits(encoded.data(), encoded.size());
}

uint64_t SchemaSet::hash_of(const SchemaPtr& schema) {
  auto found = remembered_.find(schema.get());
  if (found != remembered_.end()) return found->second.hash;
  if (remembered_.size() == kRememberedMax) remembered_.clear();
  uint64_t hash = schema_hash(*schema);
  remembered_.insert({schema.get(), {schema, hash}});
  return hash;
}

uint64_t encode_schema_once(const SchemaPtr& schema, SchemaSet& known, std::string& out) {
  uint64_t hash = known.hash_of(schema);
  if (known.contains(hash)) return hash;
  size_t begin = begin_record(out);
  encode_schema(*schema, out);
  POLLUX_CHECK(end_record(out, begin, {RecordType::kSchema, {}, {}}).ok());
  known.add(hash);
  return hash;
}

absl::Status SchemaTable::add(std::string_view encoded) {
  absl::StatusOr<SchemaPtr> schema = decode_schema(encoded);
  if (!schema.ok()) return schema.status();
  uint64_t hash = schema_hash(**schema);
  if (!schemas_.contains(hash) && schemas_.size() == kSchemasMax) {
    return absl::ResourceExhaustedError("more than " + std::to_string(kSchemasMax) + " schemas");
  }
  schemas_.insert({hash, *std::move(schema)});
  return absl::OkStatus();
}

SchemaPtr SchemaTable::find(uint64_t hash) const {
  auto found = schemas_.find(hash);
  return found == schemas_.end() ? nullptr : found->second;
}

}  // namespace pollux
