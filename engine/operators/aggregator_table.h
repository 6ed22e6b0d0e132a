// The one table of aggregate functions: name, signature, doc, and how a call is made.
//
// Reference pages are written from it; the binder resolves calls by it. To add an aggregate, add an
// AggregatorEntry in one of the aggregators_*.cc files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/string_pool.h"
#include "engine/expression/expression.h"
#include "engine/language/dialect.h"
#include "engine/operators/aggregator.h"

namespace pollux {

struct AggregateCall {
  std::vector<ExpressionPtr> arguments;
  StringPool& strings;  ///< outlives the aggregator
  bool in_order;        ///< values leave in the order in which they came
  Dialect dialect;
};

struct MadeAggregate {
  std::unique_ptr<Aggregator> function;
  ExpressionPtr argument;  ///< null: it takes none
};

/// The aggregate, or which arguments it takes.
using AggregateResult = std::variant<MadeAggregate, std::string>;

struct AggregatorEntry {
  std::string_view name_space;  ///< empty for core functions
  std::string_view name;
  std::string_view signature;
  std::string_view doc;
  AggregateResult (*make)(AggregateCall call);
};

/// All aggregate functions, in a fixed order.
const std::vector<AggregatorEntry>& aggregator_table();

/// By name; in the core's the first letter's case is free, and "distinctcount" and "stddev" are the
/// names of older plans. Null when there is none.
const AggregatorEntry* find_aggregator(std::string_view name_space, std::string_view name);

/// Several arguments as one: a list of them in each row.
ExpressionPtr pack_arguments(std::vector<ExpressionPtr> arguments);

// The tables that aggregator_table() joins, one a file.
std::vector<AggregatorEntry> core_aggregators();
std::vector<AggregatorEntry> collecting_aggregators();

}  // namespace pollux
