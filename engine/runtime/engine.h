// The engine: a pure function of its entries. No clock, no randomness, no I/O, no thread inside:
// equal entries give equal state and equal results, on any node and at any replay.
//
// Thread: one at a time (the shard's thread). An engine is a library of its own; who embeds it
// numbers entries, feeds them in order, and takes results from the sink.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/flow_observer.h"
#include "engine/operators/plan_log.h"
#include "engine/runtime/entry.h"
#include "engine/runtime/on_demand_query.h"
#include "engine/runtime/plan_description.h"
#include "engine/types/schema.h"

namespace pollux {

/// What moves a plan's clock.
enum class ClockMode : uint8_t {
  kEntry,  ///< the entry's timestamp; plans with @app:playback use their rows' all the same
  kRow,    ///< virtual time: the greatest row timestamp so far, for every plan
};

struct EngineOptions {
  ClockMode clock = ClockMode::kEntry;
  /// Which streams of which plan are results; default: every stream that a query inserts into.
  std::function<bool(std::string_view plan, std::string_view stream)> is_result;
  FlowObserver* observer = nullptr;  ///< of the plans that are deployed; outlives the engine
  PlanLog* log = nullptr;            ///< takes what `#log` writes; outlives the engine
};

/// Results of one entry on one stream of one plan. Valid during the call; share `batch` to keep it.
struct ResultBatch {
  std::string_view plan;
  std::string_view stream;
  EntryId cause;
  EventBatchPtr batch;
  /// The rank of each row among all results of this plan and entry: the last part of its id.
  std::span<const uint32_t> ordinals;
};

class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void on_result(const ResultBatch& results) = 0;
};

enum class ApplyStatus : uint8_t {
  kApplied,
  kRejected,   ///< a deploy or write with errors, stored rows that do not fit their plan, an
               ///< undeploy of nothing, a batch that fits no stream: nothing changed
  kSuspended,  ///< applied, but a plan failed an assertion and is suspended from here on
};

/// What became of a state in a plan whose text may be another: names of its parts, such as
/// "query sums", "query #2" (the second, which has no name), "table T" or "clock".
struct RestoreReport {
  std::vector<std::string> kept;
  std::vector<std::string> fresh;    ///< of the plan: begin without state
  std::vector<std::string> dropped;  ///< of the state: the plan has them no longer, or differently
};

struct ApplyOutcome {
  ApplyStatus status = ApplyStatus::kApplied;
  Diagnostics diagnostics;    ///< for kRejected deploys and writes
  std::string reason;         ///< for other rejections and suspensions
  std::string plan;           ///< deploys: the name the plan goes by; suspensions: which
  RestoreReport handed_over;  ///< deploys: what the plan kept of the one that it replaced
};

/// A stream as others see it.
struct StreamInfo {
  SchemaPtr schema;
  bool input = false;   ///< it was defined: events may be sent to it whatever other plans define
  bool output = false;  ///< a query inserts into it, or it says what changed of a stored holder
  bool leaf = false;    ///< an output that no query of the plan reads
};

/// Takes rows of a table; false: no more of them.
using TakeRows = std::function<bool(const EventBatchPtr& rows)>;

class Engine {
 public:
  /// Rows of a table are handed out in batches of at most so many.
  static constexpr size_t kTableBatchRows = 4096;

  explicit Engine(EngineOptions options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Applies the next entry; results go to `sink` before the call returns, in order of their
  /// ordinals within each stream.
  ApplyOutcome apply(const Entry& entry, ResultSink& sink);

  /// All errors of a plan's text, without deploying it; `dialect` as in DeployPayload.
  static Diagnostics validate(std::string_view text, Dialect dialect = Dialect::k51);

  /// When the next tick is due; empty while no plan waits for time. A plan that plays back waits
  /// only for idle time.
  std::optional<Timestamp> next_deadline() const;
  /// The latest deadline that anything waits for at present; what comes due before it may ask for
  /// later ones.
  std::optional<Timestamp> last_deadline() const;

  /// Names of the plans deployed, in order of deployment.
  std::vector<std::string> plans() const;
  std::vector<StreamInfo> streams(std::string_view plan) const;
  /// The schema under which any plan takes events of this stream; null when none does.
  SchemaPtr input_schema(std::string_view stream) const;

  /// The tables of a plan, by name.
  std::vector<TableInfo> tables(std::string_view plan) const;
  /// Hands out copies of the rows of a table or a named window, oldest first, until `take` says
  /// false. False when there is no such table or its plan is suspended.
  bool read_table(std::string_view plan, std::string_view table, const TakeRows& take) const;
  /// Whether a query of the plan may ask this: a table, a named window or an aggregation.
  bool can_be_asked(std::string_view plan, std::string_view name) const;
  /// Asks a plan's tables, named windows and aggregations; changes nothing. The present is that of
  /// the last entry, whatever `options` say.
  QueryAnswer query(std::string_view plan, std::string_view text,
                    OnDemandOptions options = {}) const;
  /// Empty when no plan has that name.
  std::optional<PlanDescription> describe(std::string_view plan) const;

  /// A plan's whole state, as plan_state.h writes it; empty when no plan has that name or it is
  /// suspended. Between entries.
  std::string save_state(std::string_view plan) const;
  /// The same, handed on piece by piece: it is never in memory as a whole.
  void save_state(std::string_view plan, const std::function<void(std::string_view)>& take) const;
  /// Puts a state in the place of the plan's, which must have been saved by a plan of the same
  /// text. Returns what is wrong; then nothing has changed. A suspended plan goes on.
  std::string restore_state(std::string_view plan, std::string_view state);
  /// The same with a plan that was edited: keeps the state of queries, partitions, tables, windows,
  /// triggers and aggregations whose name, text and inputs are what they were (for those without a
  /// name: whose text and inputs are), and says what begins afresh. A partition is kept as a whole.
  std::string restore_state(std::string_view plan, std::string_view state, RestoreReport& report);

  /// The plan takes no entries from here on; only its replacement, or a state restored, goes on.
  /// False when no plan has that name.
  bool suspend(std::string_view plan);

  /// Bytes of live state: windows, groups, partial matches, tables, partitions.
  size_t state_bytes() const;
  /// That of one plan; 0 when no plan has that name.
  size_t state_bytes(std::string_view plan) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pollux
