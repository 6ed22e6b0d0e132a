// Schemas as bytes, and by the hash of these bytes, which is how batches name them.
//
//     text name, u32 attributes, { u8 type, text name } ...
//
// In a segment or on a connection a schema stands once, before the first batch of it: the writing
// side keeps a SchemaSet of what stands there, the reading side a SchemaTable of what came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/schema.h"

namespace pollux {

void encode_schema(const Schema& schema, std::string& out);
absl::StatusOr<SchemaPtr> decode_schema(std::string_view bytes);
/// XXH3-64 of the encoded schema.
uint64_t schema_hash(const Schema& schema);

/// Which schemas were written already. Thread: one at a time.
class SchemaSet {
 public:
  /// schema_hash(), remembered for the schemas that were asked for lately.
  uint64_t hash_of(const SchemaPtr& schema);

  bool contains(uint64_t hash) const { return written_.contains(hash); }
  void add(uint64_t hash) { written_.insert(hash); }
  /// Nothing stands there yet: a new segment, a new connection.
  void clear() { written_.clear(); }

 private:
  static constexpr size_t kRememberedMax = 1024;
  struct Remembered {
    SchemaPtr schema;  ///< kept, so that no other comes to stand at its address
    uint64_t hash;
  };

  std::unordered_set<uint64_t> written_;
  std::unordered_map<const Schema*, Remembered> remembered_;
};

/// Appends a kSchema record to `out` when `known` has not seen the schema yet; returns its
/// hash.
uint64_t encode_schema_once(const SchemaPtr& schema, SchemaSet& known, std::string& out);

/// The schemas that came, by hash. Thread: one at a time.
class SchemaTable {
 public:
  static constexpr size_t kSchemasMax = 65'536;

  /// Takes an encoded schema (trailing zeros are padding). kDataLoss: it is none;
  /// kResourceExhausted: there are kSchemasMax.
  absl::Status add(std::string_view encoded);
  /// Null when none came with this hash.
  SchemaPtr find(uint64_t hash) const;

 private:
  std::unordered_map<uint64_t, SchemaPtr> schemas_;
};

}  // namespace pollux
