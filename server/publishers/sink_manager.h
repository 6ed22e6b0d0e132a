// The sinks of a node: those of plans live with their plans, those of the settings as long as some
// plan writes their stream, and on until they have delivered what there is.
//
// A sink begins with the first result that comes after it was started. One that its plan's
// replacement says again in the same words goes on where it stood, and so does one that comes again
// after a restart, where logs are durable; one that goes with its plan stops at once, or, where it
// writes into a store, when its rows are there or the database has let it wait for 10 s. What it
// had not delivered then is dropped and told.
//
// Thread: any.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/endpoints/endpoint.h"
#include "server/node/node.h"
#include "server/node/plan_observer.h"
#include "server/publishers/sink_runner.h"
#include "server/publishers/sink_types.h"

namespace pollux {

struct SinkInfo {
  std::string name;
  std::string type;
  std::string stream;
  std::string plan;  ///< empty: of the settings
  SinkCounts counts;
};

class SinkManager final : public PlanObserver {
 public:
  explicit SinkManager(SinkEnvironment environment)
      : environment_(std::move(environment)), leads_(!environment_.shared) {}

  /// The sinks of the settings; to be called before the first plan. What is wrong with them is
  /// returned, and then none is taken.
  EndpointMistakes set_settings(std::vector<EndpointDefinition> sinks);

  Diagnostics check(const PlanProposal& plan) const override;
  void deployed(const PlanProposal& plan, std::map<std::string, PlanOutput> outputs) override;
  void undeployed(const std::string& plan) override;
  /// Some sink writes them into a store.
  bool wants_last_results(const std::string& plan) const override;

  /// For Node::set_dependents: sinks of the settings whose stream no other plan writes.
  std::vector<std::string> dependents(const PlanInfo& plan) const;
  /// By name.
  std::vector<SinkInfo> states() const;

  // ---- a node of a pair ----

  /// Whether this node lets results out. Those of a sink that is the node's own, as an embedded
  /// store is, go there in any case.
  void set_leads(bool leads);
  /// What sinks have delivered: by name, each plan's last row.
  std::map<std::string, LastIds, std::less<>> delivered() const;
  /// What those of the other node have.
  void note_known(const std::map<std::string, LastIds, std::less<>>& known);

  /// Waits until everything is delivered or dropped; false: not within this time.
  bool drain(std::chrono::milliseconds at_most);
  /// Ends all sinks, also those that wait.
  void stop();

 private:
  struct Sink {
    EndpointDefinition definition;
    std::shared_ptr<SinkRunner> runner;  ///< states() looks at it without the lock; null: the
                                         ///< stream of a sink of the settings is not there
    bool own = false;                    ///< its results go where this node alone has them
  };
  using Sinks = std::map<std::string, Sink, std::less<>>;

  /// What a table's rows that are on their way when its sink ends are waited for at most.
  static constexpr std::chrono::seconds kLastRowsWait{10};

  bool is_open(const Sink& sink) const;
  static bool may_follow(const EndpointDefinition& sink);
  void attach(Sink& sink, const PlanOutput& output);
  Sinks take_leaving(const std::string& plan, const std::vector<EndpointDefinition>& wanted,
                     const std::map<std::string, PlanOutput>& outputs);
  void end(const Sinks& leaving) const;
  std::vector<std::shared_ptr<SinkRunner>> runners() const;

  const SinkEnvironment environment_;

  mutable std::mutex mutex_;
  Sinks sinks_;
  std::map<std::string, std::set<std::string>, std::less<>> writers_;  // plans of each stream
  std::map<std::string, LastIds, std::less<>> known_;  // of the other node's, also of sinks to come
  bool leads_;
  bool stopped_ = false;
};

}  // namespace pollux
