#include "server/stores/stored_holders.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/batch/event_batch.h"

namespace pollux {
namespace {

constexpr const char* kTypes[] = {"store", "rdbms", "rocksdb", "analytics.table"};

/// What other systems need said about their tables and this one does not.
constexpr const char* kMeaningless[] = {
    "flush.interval", "indices",          "primary.keys",          "table.name",
    "external",       "field.length",     "wait.for.indexing",     "merge.schema",
    "caching",        "cache.size.bytes", "cache.timeout.seconds", "max.search.result.count"};

bool is_known_type(const std::string& type) {
  return type.empty() || std::any_of(std::begin(kTypes), std::end(kTypes),
                                     [&](const char* known) { return same_letters(known, type); });
}

/// Places of the holder's columns among those of the table.
absl::StatusOr<std::vector<size_t>> places_of(const StoredHolder& holder, const Schema& stored) {
  std::vector<size_t> places;
  for (const Attribute& wanted : holder.schema->attributes()) {
    auto place = stored.find(wanted.name);
    if (place && stored[*place].type != wanted.type) {
      return absl::FailedPreconditionError(absl::StrCat(
          "column '", wanted.name, "' of table ", holder.table, " is of type ",
          std::string(name_of(stored[*place].type)), ", not ", std::string(name_of(wanted.type))));
    }
    places.push_back(place ? size_t{*place} : kNoColumn);
  }
  return places;
}

absl::StatusOr<bool> has_rows_before(RecordStore& store, const std::string& table, Timestamp end,
                                     Timestamp now) {
  RecordTimeRange older;
  older.to = end;
  auto cursor = store.scan(table, older, now);
  if (absl::IsNotFound(cursor.status())) return false;
  if (!cursor.ok()) return cursor.status();
  auto batch = (*cursor)->next();
  if (!batch.ok()) return batch.status();
  return *batch != nullptr && (*batch)->rows() != 0;
}

}  // namespace

std::string read_store_name(const StoredHolder& holder, const StoreIn& store_in,
                            const EndpointPlace& place, OptionReader& options) {
  for (const char* key : kMeaningless) options.take(key);
  for (const char* key : {"jdbc.url", "username", "password", "jdbc.driver.name"}) {
    if (!options.take(key)) continue;
    options.mistake(place, absl::StrCat("'", key,
                                        "': databases stand in the settings, as "
                                        "datasources; say datasource='NAME'"));
  }
  if (!is_known_type(holder.type)) {
    options.mistake(place,
                    absl::StrCat("unknown type of store '", holder.type, "'; there are ",
                                 "store, rdbms, rocksdb and analytics.table"),
                    nearest_name(holder.type, {std::begin(kTypes), std::end(kTypes)}));
  }
  std::string name = options.text({"store", "record.store"}, "");
  std::string datasource = options.text({"datasource", "datasource.name"}, "");
  if (datasource.empty()) datasource = options.text("ref", "");
  if (!name.empty()) return name;
  if (datasource.empty()) return std::string(kProcessedDataStore);
  if (!store_in) return "";
  name = store_in(datasource);
  if (name.empty()) {
    options.mistake(place, absl::StrCat("no store is in a datasource '", datasource,
                                        "': the settings say which, such as "
                                        "stores.processed_data_store"));
  }
  return name;
}

TableDefinition table_of(const StoredHolder& holder) {
  TableDefinition table;
  table.name = holder.table;
  table.schema = holder.schema;
  table.primary_key = holder.primary_key;
  table.retention_ms = holder.retention_ms;
  return table;
}

absl::StatusOr<StoredRows> read_stored_rows(RecordStore& store, const StoredHolder& holder,
                                            Timestamp now) {
  StoredRows rows;
  rows.stream = holder.stream;
  RecordTimeRange range;
  if (holder.memory_ms > 0) {
    range.from.ms = now.ms - holder.memory_ms;
    auto older = has_rows_before(store, holder.table, range.from, now);
    if (!older.ok()) return older.status();
    if (*older) rows.from_ms = range.from.ms;
  }
  auto cursor = store.scan(holder.table, range, now);
  if (absl::IsNotFound(cursor.status())) return rows;
  if (!cursor.ok()) return cursor.status();
  size_t bytes = 0;
  while (true) {
    auto batch = (*cursor)->next();
    if (!batch.ok()) return batch.status();
    if (*batch == nullptr) return rows;
    auto places = places_of(holder, (*batch)->schema());
    if (!places.ok()) return places.status();
    rows.batches.push_back(pick_columns(**batch, holder.schema, *places));
    bytes += (*batch)->bytes_held();
    if (bytes > kStoredRowsBytesMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("table ", holder.table, " has more than ", kStoredRowsBytesMax >> 20,
                       " MiB, which is too much to begin with in memory"));
    }
  }
}

}  // namespace pollux
