// The types of sinks, their options, and what is wrong with a definition.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/types/ids.h"
#include "engine/types/schema.h"
#include "server/endpoints/endpoint.h"
#include "server/publishers/log_publisher.h"
#include "server/publishers/publisher.h"
#include "server/publishers/sink_runner.h"
#include "server/stores/stored_holders.h"

namespace pollux {

class RecordStore;

/// A store as sinks write to it.
struct StoreAccess {
  RecordStore* records = nullptr;
  bool shared = false;           ///< by both nodes of a pair: the one that leads writes
  std::function<Epoch()> epoch;  ///< under which this node writes there now
};

/// What sinks need of the process. Everything outlives them.
struct SinkEnvironment {
  LogPublisher::TakeLine log_line;  ///< where sinks of type log write
  SinkRunner::Warn warn;            ///< told what sinks drop and why they try again
  /// Of the stores of a node, by name. Empty where definitions are only checked.
  std::function<StoreAccess(std::string_view name)> find_store;
  /// The store that is in that datasource; empty: none is.
  StoreIn store_in;
  bool shared = false;  ///< the node is one of a pair
};

struct CheckedSink {
  RetryOptions retry;
  bool own = false;  ///< goes where this node alone has it, so that both nodes of a pair write
  /// A sink of type store: the table that it keeps, and in which store. Empty without a schema.
  std::string store;
  std::optional<TableDefinition> table;
  /// Empty without a schema, or when something is wrong. Opens nothing yet.
  std::function<std::unique_ptr<Publisher>()> make;
};

/// Whether a store is asked if the table that it has fits, which waits for a database.
enum class StoredTables : uint8_t { kAsk, kLeave };

/// Reads the definition; all that is wrong goes to `mistakes`. Without a schema (the stream is not
/// there yet) everything is checked but what needs its attributes.
CheckedSink check_sink(const EndpointDefinition& sink, const SchemaPtr& schema,
                       const SinkEnvironment& environment, EndpointMistakes& mistakes,
                       StoredTables tables = StoredTables::kLeave);

}  // namespace pollux
