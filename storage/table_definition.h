// What a table of a record store is: its name, its typed columns, its key, how long rows stay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/types/schema.h"

namespace pollux {

struct TableDefinition {
  static constexpr size_t kNameBytesMax = 200;
  static constexpr size_t kColumnsMax = 1000;

  std::string name;                      ///< letters, digits and '_', not beginning with a digit
  SchemaPtr schema;                      ///< the columns; objects cannot be stored
  std::vector<std::string> primary_key;  ///< columns; empty: every row is appended
  int64_t retention_ms = 0;              ///< rows older than this go; 0: they stay for ever
};

/// The table of a stream, as the original names it: upper case, '_' for '.', without the version
/// ("org.wso2.is.Logins:1.0.0" is in ORG_WSO2_IS_LOGINS).
std::string table_name_of(std::string_view stream);

/// kInvalidArgument with every fault of the definition, or ok.
[[nodiscard]] absl::Status check_definition(const TableDefinition& definition);

/// May a table that was made as `stored` be opened as `wanted`? Columns added at the end are taken
/// (old rows have null there), and so is another retention, since neither changes a row. Anything
/// else is kFailedPrecondition with every difference.
[[nodiscard]] absl::Status check_successor(const TableDefinition& stored,
                                           const TableDefinition& wanted);

/// The column that says when a row happened: the first long of the names `_timestamp`, `timestamp`,
/// `ts`. Where it is null, or there is none, the row's own timestamp says it.
std::optional<size_t> record_time_column(const Schema& schema);

/// Places of the key's columns in the schema; the definition must be a checked one.
std::vector<size_t> key_columns_of(const TableDefinition& definition);

}  // namespace pollux
