// What a deployed plan says about itself, for who shows it and for who connects its streams to the
// world. The engine reads these annotations and acts on none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/diagnostics.h"
#include "engine/operators/plan_limits.h"
#include "engine/types/schema.h"

namespace pollux {

/// `key='value'`, or a value alone (empty key).
struct AnnotationOption {
  std::string key;  ///< as written
  std::string value;
  Location location;
};

struct AnnotationText {
  std::string name;  ///< as written
  std::vector<AnnotationOption> options;
  std::vector<AnnotationText> nested;
  Location location;

  /// The value under a key, the first without one for the empty key; letter case is ignored.
  const std::string* value(std::string_view key) const;
  /// The first nested annotation of that name; letter case is ignored.
  const AnnotationText* find(std::string_view name) const;
};

/// @map(type='json', ..., @payload('...') or @attributes(a='$.a', ...)).
struct StreamMapping {
  std::string type;                          ///< empty when none was written
  std::vector<AnnotationOption> options;     ///< all but the type
  std::vector<AnnotationOption> payload;     ///< one without a key, or one a field
  std::vector<AnnotationOption> attributes;  ///< where each attribute comes from
  Location location;
};

/// @source(type='...', ...) or @sink(type='...', ...) on the definition of a stream.
struct StreamEndpoint {
  enum class Kind : uint8_t { kSource, kSink };
  Kind kind = Kind::kSource;
  std::string stream;
  std::string type;                       ///< empty when none was written
  std::vector<AnnotationOption> options;  ///< all but the type
  std::optional<StreamMapping> map;
  std::vector<AnnotationText> nested;  ///< further annotations inside, such as @distribution
  Location location;
};

struct QueryDescription {
  std::string name;    ///< of @info(name='...'); empty without
  uint32_t index = 0;  ///< among all queries of the plan, in the order of the text
  bool partitioned = false;
  Location location;
};

struct PlanDescription {
  std::string name;
  std::string description;  ///< of @app:description or @plan:description
  std::vector<StreamEndpoint> endpoints;
  std::vector<QueryDescription> queries;
  bool playback = false;
  bool suspended = false;
  size_t state_bytes = 0;
  size_t tables = 0;
  uint64_t table_rows = 0;
  size_t partitions = 0;
  uint64_t partition_instances = 0;  ///< alive at present, over all partitions
  PlanCounts counts;
  std::string last_script_failure;  ///< "function: reason"; empty while there was none
};

/// A table of a plan as others see it.
struct TableInfo {
  SchemaPtr schema;
  std::vector<std::string> primary_key;
  uint64_t rows = 0;
  size_t state_bytes = 0;
};

}  // namespace pollux
