// An entry: one step of the ordered journal. Everything that changes the engine's state is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/language/dialect.h"
#include "engine/types/ids.h"

namespace pollux {

/// Frozen: stands in encoded entries.
enum class EntryType : uint8_t {
  kEvents = 1,
  kTick = 2,
  kDeploy = 3,
  kUndeploy = 4,
  kPersist = 5,
  kWrite = 6,
  kEpochBegin = 7,
};

/// What the store of an external table had for the events of an entry: the rows of their keys.
struct FoundRows {
  std::string table;   ///< StoredHolder::stream of the table (ExternalTable)
  EventBatchPtr rows;  ///< of the table's attributes; a key stands in them once; may be empty
};

/// A batch of events of one stream (named by the batch's schema).
struct EventsPayload {
  EventBatchPtr batch;
  std::string producer = {};  ///< who sent it; empty when the sender does not name itself
  uint64_t number = 0;        ///< the producer's number of this batch: 1, 2, 3, ...
  /// One for each external table that a plan joins the stream with; only they are looked into.
  std::vector<FoundRows> found = {};
};

/// Of its events and of what was found for them.
inline size_t bytes_held(const EventsPayload& events) {
  size_t bytes = events.batch->bytes_held();
  for (const FoundRows& found : events.found) bytes += found.rows->bytes_held();
  return bytes;
}

/// Time passed: deadlines up to the entry's timestamp are due.
struct TickPayload {};

/// The meanings of the language that this program runs. A plan keeps the one that its entry names.
constexpr uint32_t kSemanticsVersionMin = 1;
constexpr uint32_t kSemanticsVersionMax = 1;

/// What a record store has of a stored holder of a plan (StoredHolder), for it to begin with.
struct StoredRows {
  std::string stream;  ///< StoredHolder::stream
  /// An aggregation: buckets that began before this were left out, because nobody needs them any
  /// more (StoredHolder::memory_ms); events of those are left out as well. INT64_MIN: none was.
  int64_t from_ms = INT64_MIN;
  /// Each of the attributes of StoredHolder::schema, whatever its name: without pollux_erased. A
  /// key stands in them once. Their order is that of the rows from then on.
  std::vector<EventBatchPtr> batches;
};

/// A plan's text, with parameters already substituted.
struct DeployPayload {
  std::string plan;  ///< used when the text carries no @app:name / @Plan:name
  std::string text;
  uint32_t semantics_version = kSemanticsVersionMax;
  Dialect dialect = Dialect::k51;  ///< of texts that do not say it by an @Plan annotation
  /// The text as it was sent, with its ${parameters}; empty when it is `text`.
  std::string source = {};
  std::string origin = {};  ///< where it came from: "api" or a file
  bool replace = false;     ///< a plan of that name goes in the same step
  /// Contents of its stored holders, as they are in their stores; those that the engine goes on
  /// with (holders_to_fill()) are not looked at. What is not there begins empty.
  std::vector<StoredRows> stored = {};
};

struct UndeployPayload {
  std::string plan;
};

/// Every plan's state is cut here.
struct PersistPayload {};

/// An on-demand query that changes a table of a plan.
struct WritePayload {
  std::string plan;
  std::string text;
};

/// A node begins to lead: its epoch is that of the entry's id, and of those that follow up to the
/// next such entry.
struct EpochBeginPayload {
  std::string node;  ///< its name, for people
};

/// In the order of EntryType.
using EntryPayload = std::variant<EventsPayload, TickPayload, DeployPayload, UndeployPayload,
                                  PersistPayload, WritePayload, EpochBeginPayload>;

struct Entry {
  EntryId id;
  Timestamp timestamp;  ///< never less than that of the entry before
  EntryPayload payload;
  /// The bytes of the entry as a record (persistence/codec), kept so that they are made only once;
  /// null: they are to be made. Whoever changes the entry drops them.
  std::shared_ptr<const std::string> record = nullptr;

  EntryType type() const { return static_cast<EntryType>(payload.index() + 1); }
};

}  // namespace pollux
