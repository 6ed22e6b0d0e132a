// Tables of plans whose rows are looked up in a record store for each batch of events.
//
// Thread: any.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "engine/runtime/plan_description.h"
#include "server/endpoints/option_reader.h"
#include "server/stores/stored_holders.h"
#include "storage/record_store.h"

namespace pollux {

/// The name of the store that the table is in; empty: it cannot be told, and
/// check_external_options() says why.
std::string store_of_external(const StoredHolder& holder, const StoreIn& store_in);

/// Reports what is wrong with the options of a plan's external tables.
void check_external_options(const PlanDescription& plan, const StoreIn& store_in,
                            EndpointMistakes& mistakes);

/// The rows of these keys. kUnavailable: the store does not answer.
absl::StatusOr<EventBatchPtr> look_up_external(const RecordStore& store, const StoredHolder& holder,
                                               const EventBatch& keys);

/// Whether the store has the table with these columns, and that primary key where it is the store's
/// own.
absl::Status check_external_table(const RecordStore& store, const StoredHolder& holder);

}  // namespace pollux
