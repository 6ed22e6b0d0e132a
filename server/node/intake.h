// How events come in: whoever receives them from the network or a file hands them over here.
//
// Thread: any. Nothing here waits; `done` may run before submit() returns, or later on another
// thread, exactly once. It must be quick, and may call nothing of the node but the intake.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/batch/event_batch.h"
#include "engine/runtime/entry.h"
#include "engine/types/ids.h"
#include "ha/copies/identity_table.h"
#include "server/node/stream_lookups.h"

namespace pollux {

struct Submission {
  EventBatchPtr batch;   ///< of the schema that schema_of() gave for its stream
  std::string producer;  ///< empty: the sender does not name itself
  uint64_t number = 0;   ///< the producer's number of this batch: 1, 2, 3, ...
  std::string receiver;  ///< "http", "grpc", ...: whose counters count it
  bool wait = false;     ///< when a queue is full: wait for room instead of refusing
  /// Of a copy that came to the other node of a pair: as that one counts it.
  std::optional<CopyCount> copy = {};
  /// Of the intake itself: what it has looked up for the batch, and for which needs.
  StreamLookupsPtr looked_up = nullptr;
  std::vector<FoundRows> found = {};
};

struct Submitted {
  /// kOk; kNotFound: no such stream (any more); kAborted: the stream's attributes have changed
  /// since the batch was made; kFailedPrecondition: the producer left a number out, see
  /// expected_number; kResourceExhausted: a queue is full, try again after retry_after;
  /// kUnavailable: the node stops, or a store did not answer that has rows of an external table,
  /// try again after retry_after.
  absl::Status status;
  EntryId id;                    ///< where the batch stands, or stood when it is a duplicate
  uint64_t accepted = 0;         ///< events
  bool duplicate = false;        ///< the number was seen before: no effect now
  uint64_t expected_number = 0;  ///< kFailedPrecondition
  std::chrono::milliseconds retry_after{0};
};

class Intake {
 public:
  virtual ~Intake() = default;

  /// The schema under which events of this stream are taken; null when no plan takes them.
  virtual SchemaPtr schema_of(std::string_view stream) const = 0;
  /// Of a stream without one: kNotFound; kUnavailable: this node does not number entries, and may
  /// not know all plans.
  virtual absl::Status why_unknown(std::string_view stream) const = 0;

  /// Numbers the batch and hands it to the plans; `done` tells what became of it.
  virtual void submit(Submission submission, std::function<void(Submitted)> done) = 0;
};

}  // namespace pollux
