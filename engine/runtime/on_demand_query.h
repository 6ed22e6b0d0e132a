// A question asked once of rows that stand somewhere: a plan's table, a record store.
//
// The one who asks reads the rows, batch by batch and in their order, and hands them to take(); the
// query keeps what the answer needs and nothing else: passing rows, or the last row of each group.
// All rows count as one chunk, so that aggregates give one row, or one a group.
// Thread: one at a time; it shares nothing with any engine. Failure: a status, never an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/language/diagnostics.h"
#include "engine/planner/on_demand_planner.h"
#include "engine/types/ids.h"
#include "engine/types/value.h"

namespace pollux {

class ScriptFunctions;

/// What can be asked.
struct StoreCatalogue {
  std::function<SchemaPtr(std::string_view name)> schema_of;  ///< null for an unknown name
  std::vector<std::string> names;                             ///< for hints
  /// Which of the names are aggregations: read `within` a time, `per` one of these units.
  std::map<std::string, std::vector<CalendarUnit>> aggregations;
};

struct OnDemandOptions {
  Timestamp now;  ///< what the query takes for the present
  uint64_t rows_max = 1'000'000;
  size_t bytes_max = size_t{256} << 20;
  ScriptFunctions* scripts = nullptr;  ///< of the plan that is asked; outlive the query
};

enum class QueryCode : uint8_t {
  kOk,
  kInvalid,      ///< the text has mistakes: see the diagnostics
  kUnknownPlan,  ///< no plan of that name
  kTooLarge,     ///< more rows or groups than may be kept, or more bytes
  kFailed,       ///< an assertion failed, or the rows are not the store's
};

struct [[nodiscard]] QueryStatus {
  QueryCode code = QueryCode::kOk;
  std::string reason;  ///< for people; empty when all is well

  bool ok() const { return code == QueryCode::kOk; }
};

struct QueryAnswer {
  QueryStatus status;
  EventBatchPtr rows;       ///< null unless the status is ok; may have no rows
  Diagnostics diagnostics;  ///< for kInvalid
};

class OnDemandQuery {
 public:
  ~OnDemandQuery();
  OnDemandQuery(const OnDemandQuery&) = delete;
  OnDemandQuery& operator=(const OnDemandQuery&) = delete;

  /// The table or store whose rows are wanted.
  const std::string& store() const;
  /// Of the rows of the answer.
  const SchemaPtr& result_schema() const;
  /// Rows at other times cannot be in the answer; set when the query says `within`.
  std::optional<TimeRange> time_range() const;
  /// Aggregations: the unit whose buckets are wanted.
  std::optional<CalendarUnit> per() const;
  /// The value that a column must have for a row to be in the answer, when the condition says so
  /// as `column == constant`.
  std::optional<Value> key_equals(std::string_view column) const;

  /// False once further rows cannot change the answer.
  bool wants_more() const;
  /// Takes the next rows, of the store's attributes. After an error the query is over.
  QueryStatus take(const EventBatch& rows);
  /// The answer; ends the query.
  QueryAnswer finish();

 private:
  friend struct CompiledQuery compile_query(std::string_view, const StoreCatalogue&,
                                            const OnDemandOptions&);
  struct Impl;
  explicit OnDemandQuery(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

struct CompiledQuery {
  std::unique_ptr<OnDemandQuery> query;  ///< null when there are diagnostics
  Diagnostics diagnostics;               ///< everything that is wrong, in order of place
};

/// Reads a query of the find form: from T [as x] [on condition] [within t1, t2] [select ...].
CompiledQuery compile_query(std::string_view text, const StoreCatalogue& catalogue,
                            const OnDemandOptions& options);

}  // namespace pollux
