// From SiddhiQL text (5.x and 3.x forms) to its tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"

namespace pollux {

struct ParseResult {
  ast::Plan plan;           ///< whatever could be read
  Diagnostics diagnostics;  ///< empty when the text is grammatical
};

/// Texts longer than this are refused unread.
constexpr size_t kTextBytesMax = size_t{4} << 20;

/// The longest span of time that can be written: 10,000 years of 365 days.
constexpr int64_t kSpanMsMax = int64_t{10'000} * 365 * 24 * 60 * 60 * 1000;

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

struct ExpressionResult {
  ast::ExpressionPtr expression;  ///< null when there are diagnostics
  Diagnostics diagnostics;
};

/// Reads one expression that stands alone, such as the condition of an expression window. Thread:
/// any. Never throws; the same bounds hold.
ExpressionResult parse_expression(std::string_view text);

/// How deep parentheses, annotations, anonymous streams and the like may stand in each other.
constexpr int kNestingMax = 200;

/// The height of an expression's tree: bounds whoever walks it, also for long chains `a + b + ..`.
constexpr int kExpressionHeightMax = 1000;

}  // namespace pollux
