// What a deployed plan says about itself, for who shows it and for who connects its streams to the
// world. The engine reads these annotations and acts on none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/calendar_unit.h"
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

/// A table, or one unit of an aggregation, whose rows are kept in a record store as well: behind
/// the engine, by who takes the results of `stream`.
///
/// A result of that stream is a row as it is now: its key's row in the store is to be replaced by
/// it, or erased where pollux_erased is true; then only the columns of the key are set. In the
/// order of the results, and each once, they make the store what the engine holds.
struct StoredHolder {
  std::string name;                  ///< of the table or aggregation: letters, digits and '_'
  std::optional<CalendarUnit> unit;  ///< of an aggregation: each of its units is a holder
  std::string type;    ///< of @store(type='...'), @from(eventtable='...'); empty: it has a ref
  std::string table;   ///< where the rows stand: table.name, {UNIT} filled in, or of the name
  std::string stream;  ///< "plan:name.changes" or "plan:name.hours.changes"
  SchemaPtr schema;    ///< of the rows: the stream's, without its last attribute, pollux_erased
  std::vector<std::string> primary_key;  ///< empty: a table that is only read; it has no stream
  std::vector<std::string> indexed;
  /// An aggregation with @purge: how long its rows stay in the store, counted from their
  /// AGG_TIMESTAMP. 0: for ever. The store sees to that; nothing is said when they are due.
  int64_t retention_ms = 0;
  /// An aggregation: rows older than this are needed by nobody at deployment, counted back from the
  /// present, or from the latest row where that is earlier. 0: all are.
  int64_t memory_ms = 0;
  std::vector<AnnotationOption> options;  ///< all but the type, as written
  std::vector<AnnotationText> nested;     ///< such as @cache, which means nothing here
  Location location;                      ///< of the annotation
};

/// Which rows of an external table the events of a stream need: of those keys.
struct ExternalLookup {
  std::string stream;           ///< an input of the plan
  std::vector<size_t> columns;  ///< of the stream, for each column of the table's primary key: its
                                ///< type, or an int where the key's column is a long
  friend bool operator==(const ExternalLookup&, const ExternalLookup&) = default;
};

/// A table that stands in a record store only, too large for memory or changed by others. Whoever
/// numbers an entry of a stream that is joined with it puts the rows of its keys into the entry.
struct ExternalTable {
  StoredHolder holder;  ///< `stream`, "plan:name", is what the rows in entries go by; it has none
  std::vector<ExternalLookup> lookups;
};

struct PlanDescription {
  std::string name;
  std::string description;  ///< of @app:description or @plan:description
  std::vector<StreamEndpoint> endpoints;
  std::vector<QueryDescription> queries;
  std::vector<StoredHolder> stored;     ///< in order of the text, tables before aggregations
  std::vector<ExternalTable> external;  ///< in order of the text
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

/// The stored holders of a plan that begin with what their stores have: all, but those that take
/// over what is in memory of the plan that is replaced. `replaced` is null where there is none
/// such, or it is suspended.
std::vector<StoredHolder> holders_to_fill(const PlanDescription& plan,
                                          const PlanDescription* replaced);

/// Whether one holds in its store what the other does, so that it can take its place.
bool is_same_content(const StoredHolder& one, const StoredHolder& other);

/// A table of a plan as others see it.
struct TableInfo {
  SchemaPtr schema;
  std::vector<std::string> primary_key;
  uint64_t rows = 0;
  size_t state_bytes = 0;
};

}  // namespace pollux
