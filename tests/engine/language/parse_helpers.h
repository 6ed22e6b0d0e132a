// What the parser's tests share: reading texts that must be right, and trees as short text.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "engine/language/parser.h"

namespace pollux::test {

/// An expression with every operation in brackets: (a and (b > int:5)).
std::string shown(const ast::Expression& expression);

/// A pattern: every[e1=A -> B<2:5> within 1000ms].
std::string shown(const ast::StateElement& element);

/// A reference as it is written.
std::string shown(const ast::Reference& reference);

/// The plan of a text without errors.
inline ast::Plan plan_of(const std::string& text) {
  ParseResult result = parse_plan(text);
  EXPECT_TRUE(result.diagnostics.empty()) << to_text(result.diagnostics, "plan") << text;
  return std::move(result.plan);
}

/// The only query of a text without errors. Fails, and gives an empty one, when there is none.
inline ast::Query query_of(const std::string& text) {
  ast::Plan plan = plan_of(text);
  if (plan.elements.size() != 1 || !std::holds_alternative<ast::Query>(plan.elements[0])) {
    ADD_FAILURE() << "not one query: " << text;
    return {};
  }
  return std::move(std::get<ast::Query>(plan.elements[0]));
}

/// The expression, as it is read in a filter, shown.
inline std::string expression_of(const std::string& text) {
  ast::Query query = query_of("from S[" + text + "] select * insert into Out;");
  auto* source = std::get_if<ast::StreamSource>(&query.input);
  if (source == nullptr || source->handlers.size() != 1 || !source->handlers[0].filter) {
    ADD_FAILURE() << "not one filter: " << text;
    return "";
  }
  return shown(*source->handlers[0].filter);
}

/// The diagnostics of a text, one a line: line:column: message; expected ..; hint: ..
inline std::string errors_of(const std::string& text) {
  std::string out;
  for (const Diagnostic& one : parse_plan(text).diagnostics) {
    std::string line = to_text({one}, "");
    std::string prefix = ": error: ";
    size_t at = line.find(prefix);
    out += line.substr(1, at - 1) + ": " + line.substr(at + prefix.size());
  }
  return out;
}

}  // namespace pollux::test
