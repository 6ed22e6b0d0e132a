// What a reader must know to turn rows of a file into events of a stream: the schema, the values
// that the file lacks, and which attribute carries the time.
//
// Thread: immutable once read from.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/schema.h"
#include "engine/types/value.h"
#include "server/formats/row_error.h"

namespace pollux {

struct RowLayout {
  explicit RowLayout(SchemaPtr stream_schema)
      : schema(std::move(stream_schema)), constants(schema->size()) {}

  SchemaPtr schema;
  /// One per attribute: the value it has in every row (null is a value too), or nothing when the
  /// file has it.
  std::vector<std::optional<Value>> constants;
  /// The attribute (int or long, milliseconds) that carries the event's time.
  std::optional<size_t> timestamp_attribute;
  /// It was named by the user, so that no other source of time counts.
  bool timestamp_named = false;
};

/// The attribute taken for the event's time unless the user names one: the first of `_timestamp`,
/// `timestamp` and `ts` that is a long.
std::optional<size_t> usual_timestamp_attribute(const Schema& schema);

/// Parses `text` as a value of attribute `attribute` for every row; empty text is null. False, with
/// `error` filled, when it is no such value.
bool set_constant(RowLayout& layout, size_t attribute, std::string_view text, RowError& error);

/// Event times lie in the years 1970 to 9999.
constexpr int64_t kTimestampMsMax = 253402300799999;

}  // namespace pollux
