// Who follows plans as they come and go: what connects their streams to the world.
//
// Thread: the one that deploys or undeploys. Calls come one after the other, in the order in which
// plans change; the node's functions may be called but deploy(), undeploy() and add_observer().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/language/diagnostics.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/plan_description.h"
#include "server/node/result_log.h"

namespace pollux {

/// The log of a stream that a plan writes, and where it stood when the plan came.
struct PlanOutput {
  std::shared_ptr<ResultLog> log;
  std::unique_ptr<ResultLog::Hold> hold;  ///< nothing from `from` on is forgotten while it lives
  uint64_t from = 0;
};

/// A plan before it runs.
struct PlanProposal {
  const PlanDescription& description;
  const std::vector<StreamInfo>& streams;
};

class PlanObserver {
 public:
  virtual ~PlanObserver() = default;
  /// What speaks against this plan; empty: nothing. Nothing has been done yet, and perhaps nothing
  /// will be. Called by any number of threads.
  virtual Diagnostics check(const PlanProposal& plan) const = 0;
  /// The plan runs, perhaps in the place of one of the same name. `outputs` by stream;
  /// none for an observer that brings events.
  virtual void deployed(const PlanProposal& plan, std::map<std::string, PlanOutput> outputs) = 0;
  virtual void undeployed(const std::string& plan) = 0;
  /// Before that: whether all that the plan still makes should be there first.
  virtual bool wants_last_results(const std::string& /*plan*/) const { return false; }
};

}  // namespace pollux
