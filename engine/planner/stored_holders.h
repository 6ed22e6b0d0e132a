// @store and @from(eventtable=...): tables and aggregations that a record store keeps as well.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/table.h"
#include "engine/runtime/plan.h"

namespace pollux {

/// What the annotation says.
struct StoreReading {
  StoredHolder holder;              ///< its name, type, options and place
  std::string table_name;           ///< as written; empty when it is not
  std::optional<int64_t> flush_ms;  ///< how often changes come out; 0: with every entry
  bool external = false;            ///< rows are looked up in the store, and not held
};

/// Empty when there is no such annotation, or it was told what is wrong with it.
std::optional<StoreReading> read_store(const std::vector<ast::Annotation>& annotations,
                                       const std::string& name, Diagnostics& diagnostics);

/// Makes the table of the unit in hand a part of the plan that is stored.
void add_stored_table(Table& table, const std::vector<size_t>& indexed, StoreReading reading,
                      Plan& plan, Diagnostics& diagnostics);

/// Makes the table one of the plan's external ones.
void add_external_table(std::unique_ptr<Table> table, StoreReading reading, Plan& plan,
                        Diagnostics& diagnostics);

/// Plans the columns of the stored rows of an aggregation whose other parts are planned: `selected`
/// are its attributes, from AGG_TIMESTAMP on, and `plain` says of which attribute each of those but
/// the first is the plain value; empty: of none. False, and told, when its rows cannot be stored.
bool plan_stored_columns(const ast::AggregationDefinition& definition,
                         const std::vector<Attribute>& selected,
                         const std::vector<std::string>& plain, AggregationPlan& plan,
                         Diagnostics& diagnostics);

/// Makes the aggregation of the unit in hand a part of the plan that is stored. Its columns are
/// planned.
void add_stored_aggregation(Aggregation& aggregation, const AggregationPlan& plan,
                            StoreReading reading, bool purges, Plan& to);

/// Whether a stream's name has the form of those of changes.
bool is_name_of_changes(std::string_view stream);
/// The name of a holder's stream: of a table, or of a unit of an aggregation.
std::string name_of_changes(const Plan& plan, const std::string& holder);
/// The rows' attributes, then pollux_erased.
SchemaPtr schema_of_changes(const std::string& stream, const Schema& rows);
/// Null where changes come out with every entry: in a plan that plays back no timer comes when
/// events do not.
ChangePacer* make_pacer(Plan& plan, int64_t flush_ms);
std::string upper_case(std::string text);

}  // namespace pollux
