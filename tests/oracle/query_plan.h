// The bound text of one query, for its instances.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/pattern.h"
#include "tests/oracle/plan.h"
#include "tests/oracle/rate_limiter.h"
#include "tests/oracle/selector.h"

namespace pollux::oracle {

struct QueryPlan::Parts {
  const ast::Query* query = nullptr;
  PlanState* plan = nullptr;
  std::string info_name;
  std::vector<std::string> inputs;
  Scope scope;  ///< of the select clause
  SelectorPlan selector;
  std::optional<PatternPlan> pattern;
  Bound join_condition;
  // Where the output goes.
  std::string target;
  NamedWindow* window = nullptr;
  Table* table = nullptr;
  Table::Condition on;
  std::vector<Table::Assignment> set;

  bool expired_wanted() const {
    return query->output.events != ast::OutputAction::Events::kCurrent;
  }
  RatePlan rate() const;
};

/// How a query names the stream: inner ones start with '#'.
std::string name_of(const ast::StreamSource& source);

}  // namespace pollux::oracle
