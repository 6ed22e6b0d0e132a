// Tables and aggregations of plans that are kept in a record store: in which, under what name, and
// what is there when a plan begins.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"
#include "engine/runtime/plan_description.h"
#include "server/endpoints/option_reader.h"
#include "storage/record_store.h"

namespace pollux {

/// The store that is in that datasource; empty: none is.
using StoreIn = std::function<std::string(std::string_view datasource)>;

/// The name of the store that a holder's options mean; takes those options, and reports what is
/// wrong with them. Empty: it cannot be told.
std::string read_store_name(const StoredHolder& holder, const StoreIn& store_in,
                            const EndpointPlace& place, OptionReader& options);

TableDefinition table_of(const StoredHolder& holder);

/// An entry carries what a plan begins with, and nodes send entries to each other.
inline constexpr size_t kStoredRowsBytesMax = size_t{128} << 20;

/// What the store has for a holder: all of it, or of an aggregation what is as young at `now` as it
/// needs. None where there is no such table. kResourceExhausted: more than an entry carries;
/// kFailedPrecondition: the table's columns are not the holder's.
absl::StatusOr<StoredRows> read_stored_rows(RecordStore& store, const StoredHolder& holder,
                                            Timestamp now);

}  // namespace pollux
