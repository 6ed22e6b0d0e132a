// What tables and columns are called in a database, and which texts it can have. Thread: any.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "storage/table_definition.h"

namespace pollux::sql {

/// What a table or column is called in the database: in small letters, as PostgreSQL reads names
/// without quotes and MySQL compares those of columns, and with a hash at its end where it is
/// longer than a name may be.
std::string stored_name(std::string_view name);

/// The same for a table. That of refused rows has its store in its name, since several stores may
/// share a database.
std::string stored_table_name(std::string_view store, std::string_view table);

/// kInvalidArgument: names that the database cannot tell apart, or that the store needs for its own
/// tables and, as `own_columns` says, columns.
[[nodiscard]] absl::Status check_names(const TableDefinition& definition,
                                       std::span<const std::string_view> own_columns);

bool is_utf8(std::string_view text);

}  // namespace pollux::sql
