// What a store knows of its tables, in tables of its own: which there are, what they consist of and
// how far each source has come. Thread: any; changes of one database come one after the other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/postgres/sessions.h"
#include "storage/table_shape.h"

namespace pollux::postgres {

/// A table as it stands in the database. Never changes; a wider table gets another one.
struct Relation : TableShape {
  explicit Relation(TableDefinition definition);

  std::string name;     ///< quoted
  std::string columns;  ///< quoted, all of them and pollux_time
  std::string key;      ///< the key's, quoted
  std::string order;    ///< for ORDER BY
};
using RelationPtr = std::shared_ptr<const Relation>;

struct CataloguedTable {
  RelationPtr relation;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

class Catalog {
 public:
  Catalog(std::string store, std::shared_ptr<Pool> pool, int64_t timeout_ms)
      : store_(std::move(store)), pool_(std::move(pool)), timeout_ms_(timeout_ms) {}

  /// Makes the tables that stores need, unless they are there.
  absl::Status set_up();
  absl::StatusOr<std::map<std::string, CataloguedTable>> load();
  /// Makes the table, or makes it wider.
  absl::Status open(const TableDefinition& definition);
  absl::Status drop(const Relation& relation);

 private:
  absl::StatusOr<std::map<std::string, CataloguedTable>> load(Conversation& talk);
  absl::Status make(Conversation& talk, const Relation& relation);
  absl::Status change(Conversation& talk, const TableDefinition& stored, const Relation& wanted);
  absl::Status note_columns(Conversation& talk, const TableDefinition& definition, size_t first);

  const std::string store_;
  const std::shared_ptr<Pool> pool_;
  const int64_t timeout_ms_;
};

}  // namespace pollux::postgres
