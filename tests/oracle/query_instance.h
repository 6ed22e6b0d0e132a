// What all kinds of queries end in: selector, rate and output.
#pragma once

#include <memory>
#include <vector>

#include "tests/oracle/query_plan.h"
#include "tests/oracle/rate_limiter.h"
#include "tests/oracle/selector.h"

namespace pollux::oracle {

class Instance : public QueryInstance {
 public:
  Instance(const QueryPlan::Parts& parts, const Surroundings& where);

 protected:
  PlanState& plan() { return *where_.plan; }
  /// Chunks that were made together are selected one by one and go on as one.
  void select(std::vector<CombinedChunk> chunks);
  void let_out(CombinedChunk chunk);

  /// While set, what the rate lets out is gathered instead of sent.
  CombinedChunk* gathered_ = nullptr;
  const QueryPlan::Parts& parts_;
  Surroundings where_;

 private:
  void deliver(const CombinedChunk& chunk);
  void insert(const Chunk& events);
  void change_table(const Chunk& events);

  Selector selector_;
  std::unique_ptr<RateLimiter> rate_;
};

std::unique_ptr<QueryInstance> make_single(const QueryPlan::Parts& parts,
                                           const Surroundings& where);
std::unique_ptr<QueryInstance> make_join(const QueryPlan::Parts& parts, const Surroundings& where);
std::unique_ptr<QueryInstance> make_pattern(const QueryPlan::Parts& parts,
                                            const Surroundings& where);

}  // namespace pollux::oracle
