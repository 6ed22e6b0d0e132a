// What databases of all kinds do alike: they have a pool of sessions, and a catalogue of tables
// that is changed by them. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/sql/database.h"
#include "storage/sql/sql_store.h"
#include "storage/store_database.h"

namespace pollux::sql {

/// "postgresql host:port/database"
inline std::string place_of(std::string_view kind, const DatabaseAddress& address) {
  return absl::StrCat(std::string(kind), " ", address.host, ":", address.port, "/",
                      address.database);
}

/// As one store sees it. `Talk` is the conversation of the kind, `TableCatalog` its
/// catalogue.
template <class Talk, class TableCatalog>
class PooledDatabase : public Database {
 public:
  using Catalog = TableCatalog;
  using PoolPtr = std::shared_ptr<typename Talk::Pool>;

  std::string place() const override { return place_; }
  absl::Status set_up() override {
    absl::Status done = pool_->fill(Deadline(timeout_ms_));
    return done.ok() ? catalog_.set_up() : done;
  }
  absl::StatusOr<Catalogue> load() override { return catalog_.load(); }
  absl::Status open_table(const TableDefinition& definition) override {
    return catalog_.open(definition);
  }
  absl::Status drop_table(const Relation& relation) override { return catalog_.drop(relation); }

 protected:
  PooledDatabase(std::string_view kind, const std::string& store, const DatabaseOptions& options,
                 PoolPtr pool)
      : store_(store),
        place_(place_of(kind, options.address)),
        timeout_ms_(options.timeout_ms),
        pool_(std::move(pool)),
        catalog_(store_, pool_, timeout_ms_) {}

  const std::string& store() const { return store_; }
  int64_t timeout_ms() const { return timeout_ms_; }
  const PoolPtr& pool() const { return pool_; }
  absl::StatusOr<Talk> begin() const { return Talk::begin(pool_, timeout_ms_); }

 private:
  const std::string store_;
  const std::string place_;
  const int64_t timeout_ms_;
  const PoolPtr pool_;
  Catalog catalog_;
};

/// `Seen` is the database as a store sees it.
template <class Seen>
class SharedDatabase : public StoreDatabase {
 public:
  SharedDatabase(DatabaseOptions options, typename Seen::PoolPtr pool)
      : options_(std::move(options)), pool_(std::move(pool)) {}

  std::string place() const override { return place_of(Seen::kKind, options_.address); }

  absl::StatusOr<std::unique_ptr<RecordStore>> open(const std::string& store) override {
    return open_sql_store(store, std::make_unique<Seen>(store, options_, pool_));
  }
  std::vector<std::string> set_up_sql() const override {
    std::vector<std::string> statements = Seen::Catalog::own_tables_sql();
    statements.insert(statements.begin(), Seen::kNamesAreUtf8);
    return statements;
  }
  absl::StatusOr<std::vector<std::string>> table_sql(
      const std::string& store, const TableDefinition& definition) const override {
    if (absl::Status checked = check_definition(definition); !checked.ok()) return checked;
    return Seen::Catalog::table_sql(store, definition);
  }

 private:
  const DatabaseOptions options_;
  const typename Seen::PoolPtr pool_;
};

}  // namespace pollux::sql
