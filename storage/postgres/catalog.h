// What a store knows of its tables, in tables of its own: which there are, what they consist of and
// how far each source has come. Thread: any; changes of one database come one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/postgres/sessions.h"
#include "storage/sql/relation.h"

namespace pollux::postgres {

/// From which on null equals null in an index.
inline constexpr int kVersionWithNullsInKeys = 150000;

class Catalog {
 public:
  Catalog(std::string store, std::shared_ptr<Pool> pool, int64_t timeout_ms)
      : store_(std::move(store)), pool_(std::move(pool)), timeout_ms_(timeout_ms) {}

  /// What makes the tables that stores need, a statement each.
  static std::vector<std::string> own_tables_sql();
  /// What makes a table where there is none, and notes it. kInvalidArgument: it cannot be made.
  static absl::StatusOr<std::vector<std::string>> table_sql(const std::string& store,
                                                            const TableDefinition& definition);

  /// Makes the tables that stores need, unless they are there.
  absl::Status set_up();
  absl::StatusOr<sql::Catalogue> load();
  /// Makes the table, or makes it wider.
  absl::Status open(const TableDefinition& definition);
  absl::Status drop(const sql::Relation& relation);

 private:
  absl::StatusOr<sql::Catalogue> load(Conversation& talk);
  absl::Status make(Conversation& talk, const sql::Relation& relation);
  absl::Status change(Conversation& talk, const TableDefinition& stored,
                      const sql::Relation& wanted);

  const std::string store_;
  const std::shared_ptr<Pool> pool_;
  const int64_t timeout_ms_;
};

}  // namespace pollux::postgres
