// What a store knows of its tables, in tables of its own: which there are, what they consist of and
// how far each source has come. Thread: any; changes of one database come one after the other.
//
// A table is there while both the catalogue and the database have it: since no transaction holds
// both, it is in the catalogue before it is made, and until it is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/mysql/sessions.h"
#include "storage/sql/relation.h"

namespace pollux::mysql {

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
  absl::Status add_columns(Conversation& talk, const sql::Relation& wanted, size_t first);
  absl::Status forget(Conversation& talk, const std::string& relation);

  const std::string store_;
  const std::shared_ptr<Pool> pool_;
  const int64_t timeout_ms_;
};

}  // namespace pollux::mysql
