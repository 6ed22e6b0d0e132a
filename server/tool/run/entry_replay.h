// Entries of a journal through the engine, as a server's node takes them: an engine for each plan,
// of which every entry reaches those that it concerns.
//
// Thread: one.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/operators/plan_log.h"
#include "engine/runtime/engine.h"
#include "server/node/result_log.h"

namespace pollux::tool {

class EntryReplay {
 public:
  struct Callbacks {
    /// The results of one entry on one stream of one plan.
    std::function<void(const ResultSlice& results)> results;
    /// A plan failed in an entry and takes no more of them.
    std::function<void(const ApplyOutcome& outcome)> suspended;
    PlanLog* log = nullptr;  ///< what `#log` writes
  };

  explicit EntryReplay(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  /// kFailedPrecondition: the entry deploys a plan that this version does not take, with all its
  /// errors. What a server's plans refuse, they refuse here as well, and that is no error.
  absl::Status apply(const Entry& entry);

  /// Entries that concerned no plan that was there, though they name one or its stream.
  uint64_t without_plan() const { return without_plan_; }
  /// Whether a plan of that name was ever deployed.
  bool knew(std::string_view plan) const { return names_.find(plan) != names_.end(); }

 private:
  struct Plan {
    std::string name;
    std::unique_ptr<Engine> engine;
    std::set<std::string, std::less<>> inputs;  ///< the streams that it takes
  };
  class Sink;

  absl::Status deploy(const Entry& entry, const DeployPayload& payload);
  Plan* find(std::string_view name);
  void apply_to(Plan& plan, const Entry& entry);
  void note(const ApplyOutcome& outcome);

  const Callbacks callbacks_;
  std::vector<std::unique_ptr<Plan>> plans_;  // in the order of their deployment
  std::set<std::string, std::less<>> names_;  // of all that ever were
  uint64_t without_plan_ = 0;
};

}  // namespace pollux::tool
