// A node: plans deployed, events in, results in logs. What receives, publishes and administers
// stands around it.
//
// Thread: any. deploy() and undeploy() are made one after the other, and wait for a parse; nothing
// of what they refuse leaves a trace.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/language/diagnostics.h"
#include "engine/language/parameters.h"
#include "engine/runtime/engine.h"
#include "server/node/intake.h"
#include "server/node/lookup_intake.h"
#include "server/node/plan_observer.h"
#include "server/node/result_log.h"
#include "server/node/sequencer.h"
#include "server/node/shard.h"
#include "server/node/worker_pool.h"

namespace pollux {

/// A plan of the catalogue: what it takes to deploy it again.
struct CataloguePlan {
  DeployPayload deploy;  ///< `plan` is the name that it goes by
  EntryId entry;
  int64_t deployed_ms = 0;
};

/// The node itself as it was behind an entry.
struct NodeCut {
  explicit NodeCut(ProducerTable none) : senders(std::move(none)) {}
  EntryId at;
  Timestamp timestamp;
  std::vector<CataloguePlan> plans;  ///< by name
  SenderState senders;
};

struct NodeOptions {
  std::string name = "pollux";
  Epoch epoch;
  size_t workers = 0;              ///< 0: one a core
  Dialect dialect = Dialect::k51;  ///< of plans that do not say it
  ShardLimits shard;
  size_t result_log_bytes_max = size_t{16} << 20;  ///< a stream
  int64_t forget_producers_after_ms = int64_t{7} * 24 * 3600 * 1000;
  size_t producers_max = 1'000'000;
  PlanLog* plan_log =
      nullptr;                ///< takes what plans' `#log` writes, on any thread; outlives the node
  PlanParameters parameters;  ///< of all plans; a request's own win over them

  // ---- what lasts; all of it outlives the node ----

  /// The node begins with a replay: begin_replay() and end_replay() are called before all else.
  bool replays = false;
  EntryLog* log = nullptr;              ///< null: an entry is committed once it is numbered
  IdentityTable* identities = nullptr;  ///< null: no stream's events come to both nodes of a pair
  /// A node of a pair: it begins without leading, and may lead and follow by turns.
  bool shared = false;
  ApplyMarks* marks = nullptr;  ///< null: entries that processes die of are not noticed
  /// Opens the log of a stream; null: logs stand in memory.
  std::function<absl::StatusOr<std::shared_ptr<ResultLog>>(const SchemaPtr&)> open_log;
  /// An order of whoever leads, before any shard comes to it; false: it is passed over.
  std::function<bool(NodeCut)> persist_ordered;
  /// A shard has come to an order to persist. Thread: a worker, which holds the engine still.
  std::function<void(Shard&, const Engine&, const Entry&)> persist;
  /// Numbers for the results of plans, for a node of a pair. Thread: a worker.
  std::function<void(const PlanHash&)> results_hashed;
  /// What the store has of a table or an aggregation that a plan begins with; null: nothing. May
  /// wait for a database.
  std::function<absl::StatusOr<StoredRows>(const StoredHolder&)> stored_rows;
  /// External tables: how rows are looked up, of which only the node that leads knows.
  LookupOptions lookups = {};
  /// Whether an external table is in its store as a plan has it, and the other node of a pair can
  /// do with it. kUnavailable: nobody can tell now. May wait for a database; null: it is.
  std::function<absl::Status(const StoredHolder&)> check_external;
  std::function<void(const absl::Status&)> warn;  ///< of what fails and stops nothing
  std::function<void()> journal_full;             ///< a batch was refused since the journal is full
};

struct PlanInfo {
  std::string name;
  std::string text;    ///< as it was sent: with its ${parameters}
  std::string origin;  ///< "api" or the file it came from
  int64_t deployed_ms = 0;
  EntryId entry;
  std::vector<StreamInfo> streams;
  ShardCounts counts;
  std::string suspended_because;
};

struct DeployRequest {
  std::string text;
  std::string name;  ///< unless the text names the plan
  std::string origin;
  bool replace = false;  ///< a plan of that name goes in the same step
  PlanParameters parameters;
};

struct Deployed {
  enum class Outcome : uint8_t {
    kDeployed,
    kErrors,    ///< diagnostics say all that is wrong
    kExists,    ///< a plan of that name is deployed, and `replace` was not said
    kConflict,  ///< a stream has other attributes in another plan
    kStopping,
    /// The disk does not take it, or perhaps has: look whether it is there; or this node does not
    /// lead.
    kUnavailable,
  };
  Outcome outcome = Outcome::kDeployed;
  std::string plan;
  EntryId entry;
  bool replaced = false;
  bool unchanged = false;  ///< `replaced`: by what is there already, so that nothing was done
  std::optional<RestoreReport> handed_over;  ///< `replaced`: what the plan kept of the other's
                                             ///< state; empty when that is not known yet
  Diagnostics diagnostics;
  std::string reason;  ///< of all others
};

class Node final : public ResultLogs {
 public:
  /// Told of plans that suspend themselves. Thread: a worker.
  using OnSuspended = std::function<void(const std::string& plan, const std::string& reason)>;
  /// Who else needs the streams of a plan ("sink 'x' reads stream 'y'"); empty: nobody.
  using Dependents = std::function<std::vector<std::string>(const PlanInfo& plan)>;

  static constexpr const char* kNeededBy = "pollux/needed_by";

  explicit Node(NodeOptions options, OnSuspended on_suspended = nullptr);
  ~Node() override;

  const NodeOptions& options() const { return options_; }
  Intake& intake() { return lookups_; }

  Deployed deploy(const DeployRequest& request);
  /// kNotFound, or kFailedPrecondition naming who depends on the plan unless `force`; the payload
  /// kNeededBy has them one a line.
  absl::Status undeploy(std::string_view plan, bool force);
  void set_dependents(Dependents dependents);
  /// Before the first plan; the observer outlives all deploys and undeploys. One that brings events
  /// hears of plans only once the replay has ended.
  void add_observer(PlanObserver& observer, bool brings_events = false);
  /// What deploy() would say of the plan by itself: kDeployed with its name, or kErrors. Whether it
  /// fits the others only deploy() knows.
  Deployed check(const DeployRequest& request) const;

  std::vector<PlanInfo> plans() const;
  std::optional<PlanInfo> plan(std::string_view name) const;
  /// Does `work` with the plan's engine behind all that was submitted so far, and waits for it.
  absl::Status with_engine(std::string_view plan, std::function<void(Engine&)> work) const;
  /// Changes a plan's tables by an on-demand query that writes, as an entry of the plan; waits
  /// until it is applied.
  absl::StatusOr<ApplyOutcome> write(std::string_view plan, std::string text);

  std::shared_ptr<ResultLog> find_results(std::string_view stream) const override;
  absl::Status lets_out() const override;
  bool may_come(std::string_view id) const override;
  std::map<std::string, std::shared_ptr<ResultLog>, std::less<>> results() const;
  SequencerCounts counts() const { return sequencer_.counts(); }
  LookupCounts lookup_counts() const { return lookups_.counts(); }
  LatencyHistogram::Counts commit_latency() const { return sequencer_.commit_latency(); }
  ProducerTable::Judged judge(std::string_view producer, uint64_t number) const {
    return sequencer_.judge(producer, number);
  }

  /// Orders all plans to cut their state behind one entry, and says what the node is there.
  /// `committed`: once that entry is. At position 0: the node does not lead, and nothing was
  /// ordered.
  NodeCut order_persist(Sequencer::Committed committed);

  // ---- replay ----

  void begin_replay(Sequencer::Place place, SenderState senders);
  /// The plan with the state that it had behind entry `at`, where it was suspended if there is a
  /// reason. Not there is the plan after an error: kInvalidArgument, its text is not taken;
  /// kFailedPrecondition, the state is not; else a log of its results cannot be opened.
  absl::Status restore(const CataloguePlan& plan, EntryId at, Timestamp timestamp,
                       std::string_view state, const std::string& suspended_because);
  /// The next entry of the journal, or of whoever leads. It waits while the plans are behind.
  /// Errors as of restore().
  absl::Status replay(const Entry& entry);
  /// Waits until plans have applied all of it.
  void end_replay();
  ProducerTable no_producers() const {
    return {options_.forget_producers_after_ms, options_.producers_max};
  }

  // ---- a node of a pair; thread: that which replays ----

  /// It leads from here on: all entries before its own were replayed.
  void lead(Epoch epoch, Sequencer::Place place);
  /// Entries can be numbered no more. Thread: any; does not wait.
  void end_lead(const absl::Status& why) { sequencer_.close(why); }
  /// Behind end_lead(): plans that came or went without being committed are as they were.
  void follow();
  bool leads() const;
  /// Plans have applied all entries up to here, and readers see what came of it.
  Position applied() const;

  /// Takes nothing more, then waits until all that was taken has been applied, at most this long.
  /// True when all was.
  bool drain(std::chrono::milliseconds at_most);
  /// Takes nothing more, for that reason.
  void refuse_all(const absl::Status& why) { sequencer_.stop(why); }
  void room_made() { sequencer_.room_made(); }
  void stop();

 private:
  struct Plan {
    PlanInfo info;
    DeployPayload payload;
    PlanDescription description;
    std::shared_ptr<Shard> shard;
    Shard::OutputsPtr outputs;
  };
  /// A change of the catalogue whose entry is not committed yet.
  struct Unsettled {
    uint64_t number = 0;
    std::string plan;
    std::optional<Plan> before;
  };
  struct Observer {
    PlanObserver* observer;
    bool brings_events;
  };

  struct Tried {
    std::string text;  ///< with its parameters filled in
    ApplyOutcome outcome;
    PlanDescription description;
    std::vector<StreamInfo> streams;
  };
  DeployPayload payload_of(const DeployRequest& request, const std::string& text) const;
  Tried try_payload(const DeployPayload& payload) const;
  /// In an engine of its own; finds all errors, and what streams the plan has.
  Tried try_plan(const DeployRequest& request) const;
  /// The same without asking the observers.
  static Deployed judge(Tried& tried);
  static std::map<std::string, PlanOutput> places_in(const Shard::Outputs& of_plan);
  uint64_t note_unsettled(const std::string& plan);
  void settle(uint64_t number);
  void take_back(const Unsettled& change);
  std::string conflict_of(const std::vector<StreamInfo>& streams, const std::string& plan) const;
  std::shared_ptr<Shard> make_shard(const std::string& plan);
  std::shared_ptr<Shard> shard_for(const std::string& plan);
  void remove_plan(std::string_view name);
  absl::StatusOr<Shard::OutputsPtr> open_outputs(const std::vector<StreamInfo>& streams);
  Plan& put_plan(const Tried& tried, DeployPayload payload, Shard::OutputsPtr outputs);
  static PlanInputs inputs_of(const std::vector<StreamInfo>& streams, const PlanDescription& plan);
  bool check_external(const PlanDescription& plan, Deployed& deployed) const;
  void tell_takers(const Tried& tried, const Shard::Outputs& outputs);
  void tell_bringers(const PlanDescription& description, const std::vector<StreamInfo>& streams);
  bool is_there(const DeployPayload& payload, Deployed& deployed) const;
  /// What its stored holders begin with, but for those that go on with what is in memory.
  absl::StatusOr<std::vector<StoredRows>> stored_rows_of(const PlanDescription& plan) const;
  absl::Status replay_deploy(const Entry& entry);
  void replay_undeploy(const Entry& entry);
  void wait_until_applied();
  std::vector<std::shared_ptr<Shard>> shards() const;
  NodeCut cut_at(const Entry& entry) const;
  std::vector<CataloguePlan> catalogue() const;
  void drop_unused_logs();
  PlanInfo info_of(const Plan& plan) const;
  std::shared_ptr<Shard> find_shard(std::string_view plan) const;
  void run_ticks();
  void stop_ticker();
  void wake_ticker();

  /// A plan that goes, and whose last results are wanted, is waited for so long.
  static constexpr std::chrono::seconds kLastResultsWait{10};

  const NodeOptions options_;
  const OnSuspended on_suspended_;
  WorkerPool workers_;
  Sequencer sequencer_;
  LookupIntake lookups_;  // before the sequencer

  std::vector<Observer> observers_;
  std::mutex deploying_;  // one deploy or undeploy at a time; taken before mutex_

  mutable std::mutex mutex_;
  std::map<std::string, Plan, std::less<>> plans_;
  std::map<std::string, std::weak_ptr<Shard>, std::less<>> leaving_;  // perhaps still at work
  std::map<std::string, std::shared_ptr<ResultLog>, std::less<>> logs_;
  Dependents dependents_;
  std::vector<Unsettled> unsettled_;  // in order
  uint64_t last_unsettled_ = 0;
  bool leads_;
  bool stopping_ = false;
  bool replaying_;

  std::mutex tick_mutex_;
  std::condition_variable tick_wanted_;
  bool deadlines_changed_ = false;
  bool ticker_stops_ = false;
  std::thread ticker_;
};

}  // namespace pollux
