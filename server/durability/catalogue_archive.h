// How a plan of the catalogue is archived. Thread: any.
#pragma once

#include "engine/state/state_archive.h"
#include "server/node/node.h"

namespace pollux {

inline void archive_plan(StateArchive& archive, CataloguePlan& plan) {
  DeployPayload& deploy = plan.deploy;
  archive(deploy.plan, deploy.text, deploy.semantics_version, deploy.dialect, deploy.source,
          deploy.origin, plan.entry.epoch.value, plan.entry.position.value, plan.deployed_ms);
  if (deploy.dialect != Dialect::k51 && deploy.dialect != Dialect::k31) archive.fail();
}

}  // namespace pollux
