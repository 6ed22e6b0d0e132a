// From SiddhiQL text (5.x and 3.x forms) to its tree.
#pragma once

#include <string_view>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"

namespace pollux {

struct ParseResult {
  ast::Plan plan;           ///< whatever could be read
  Diagnostics diagnostics;  ///< empty when the text is grammatical
};

/// Reads a whole plan. After an error it goes on behind the next `;`, so that all errors of a text
/// are found at once. Thread: any. Never throws; nesting is bounded by kNestingMax.
ParseResult parse_plan(std::string_view text);

struct OnDemandResult {
  ast::OnDemandQuery query;
  Diagnostics diagnostics;  ///< empty when the text is grammatical
};

/// Reads one on-demand query (`from T on .. select ..`, `update T set .. on ..`, ..). Thread: any.
/// Never throws; the same bounds hold.
OnDemandResult parse_on_demand_query(std::string_view text);

/// How deep parentheses, annotations, anonymous streams and the like may stand in each other.
constexpr int kNestingMax = 200;

/// The height of an expression's tree: bounds whoever walks it, also for long chains `a + b + ..`.
constexpr int kExpressionHeightMax = 1000;

/// A text with more errors than this reports the first ones and says that there are more.
constexpr size_t kDiagnosticsMax = 100;

}  // namespace pollux
