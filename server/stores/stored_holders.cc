#include "server/stores/stored_holders.h"

#include <algorithm>
#include <vector>

#include "absl/functional/function_ref.h"
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

/// Calls `take` with the rows of a range, in the order of their times, until it says false; not at
/// all where there is no such table.
absl::Status read_rows(RecordStore& store, const std::string& table, RecordTimeRange range,
                       Timestamp now, absl::FunctionRef<bool(const EventBatch&)> take) {
  auto cursor = store.scan(table, range, now);
  if (absl::IsNotFound(cursor.status())) return absl::OkStatus();
  if (!cursor.ok()) return cursor.status();
  while (true) {
    auto batch = (*cursor)->next();
    if (!batch.ok()) return batch.status();
    if (*batch == nullptr || !take(**batch)) return absl::OkStatus();
  }
}

/// From when on an aggregation needs its rows: so long before the newest one, or before now where
/// that is earlier. INT64_MIN: there are no older ones.
absl::StatusOr<int64_t> begin_of(RecordStore& store, const StoredHolder& holder, Timestamp now) {
  const Timestamp from{now.ms - holder.memory_ms};
  bool any_older = false;
  absl::Status read = read_rows(store, holder.table, {.to = from}, now, [&](const EventBatch&) {
    any_older = true;
    return false;
  });
  if (!read.ok()) return read;
  if (!any_older) return INT64_MIN;
  bool any_young = false;
  read = read_rows(store, holder.table, {.from = from}, now, [&](const EventBatch&) {
    any_young = true;
    return false;
  });
  if (!read.ok()) return read;
  if (any_young) return from.ms;
  int64_t newest = INT64_MIN;
  read = read_rows(store, holder.table, {.to = from}, now, [&](const EventBatch& rows) {
    newest = rows.timestamps().back();
    return true;
  });
  if (!read.ok()) return read;
  return newest - holder.memory_ms;
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
  if (holder.memory_ms > 0) {
    auto begin = begin_of(store, holder, now);
    if (!begin.ok()) return begin.status();
    rows.from_ms = *begin;
  }
  size_t bytes = 0;
  absl::Status wrong;
  absl::Status read =
      read_rows(store, holder.table, {.from = {rows.from_ms}}, now, [&](const EventBatch& batch) {
        auto places = places_of(holder, batch.schema());
        wrong = places.status();
        if (wrong.ok()) rows.batches.push_back(pick_columns(batch, holder.schema, *places));
        bytes += batch.bytes_held();
        return wrong.ok() && bytes <= kStoredRowsBytesMax;
      });
  if (!read.ok()) return read;
  if (!wrong.ok()) return wrong;
  if (bytes <= kStoredRowsBytesMax) return rows;
  return absl::ResourceExhaustedError(
      absl::StrCat("table ", holder.table, " has more than ", kStoredRowsBytesMax >> 20,
                   " MiB, which is too much to begin with in memory"));
}

}  // namespace pollux
