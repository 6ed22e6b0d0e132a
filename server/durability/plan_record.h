// What stands before a plan's state in its revisions: enough to deploy the plan again, so that a
// revision needs nothing else to go on from.
//
//     "PLXP" u32 version u32 bytes { CataloguePlan, why it is suspended }, and the state behind it
//
// The state is empty where the plan was suspended. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/node/node.h"

namespace pollux {

struct PlanRecord {
  CataloguePlan plan;
  std::string suspended_because;  ///< empty: it was not
};

/// Record and state as they stand in a revision.
struct PlanRevision {
  PlanRecord record;
  std::string_view state;  ///< points into the bytes
};

std::string encode_record(const PlanRecord& record);
/// kDataLoss: this is no plan's; kUnimplemented: of a newer version.
absl::StatusOr<PlanRevision> decode_plan_revision(std::string_view bytes);

}  // namespace pollux
