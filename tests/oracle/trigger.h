// `define trigger`: a stream that gets an event at the start, every so often, or by a cron
// expression.
#pragma once

#include <cstdint>
#include <string>

#include "tests/oracle/plan.h"

namespace pollux::oracle {

class TriggerRuntime {
 public:
  /// Puts out on `output`. Throws PlanError.
  TriggerRuntime(const ast::TriggerDefinition& definition, PlanState& plan, Junction& output);

 private:
  void wait();
  void fire();

  const ast::TriggerDefinition& definition_;
  PlanState& plan_;
  Junction& output_;
  int64_t every_seconds_ = 0;  ///< by cron
  int64_t next_ = 0;
};

/// The next time after `now` by '*/n * * * * ?', the only cron expressions that the oracle knows:
/// seconds of a minute that n divides.
int64_t next_by_cron(int64_t every_seconds, int64_t now);

/// n of '*/n * * * * ?'. Throws PlanError.
int64_t seconds_of_cron(const std::string& expression);

}  // namespace pollux::oracle
