// The types of sinks, their options, and what is wrong with a definition.
//
// Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "engine/types/ids.h"
#include "engine/types/schema.h"
#include "server/endpoints/endpoint.h"
#include "server/publishers/log_publisher.h"
#include "server/publishers/publisher.h"
#include "server/publishers/sink_runner.h"

namespace pollux {

class RecordStore;

/// What sinks need of the process. Everything outlives them.
struct SinkEnvironment {
  LogPublisher::TakeLine log_line;  ///< where sinks of type log write
  SinkRunner::Warn warn;            ///< told what sinks drop and why they try again
  /// Null when there is no store of that name.
  std::function<RecordStore*(std::string_view name)> find_store;
  Epoch epoch;
  bool shared = false;  ///< the node is one of a pair
};

struct CheckedSink {
  RetryOptions retry;
  /// Empty without a schema, or when something is wrong. Opens nothing yet.
  std::function<std::unique_ptr<Publisher>()> make;
};

/// Reads the definition; all that is wrong goes to `mistakes`. Without a schema (the stream is not
/// there yet) everything is checked but what needs its attributes.
CheckedSink check_sink(const EndpointDefinition& sink, const SchemaPtr& schema,
                       const SinkEnvironment& environment, EndpointMistakes& mistakes);

}  // namespace pollux
