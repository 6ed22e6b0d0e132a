// A part of a tree as bytes that are equal when the parts mean the same: places, white space,
// comments, the spelling of keywords and the name that @info gives leave no trace in them.
//
// They are made to be hashed and compared, and cannot be read. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/ast.h"
#include "engine/types/value.h"

namespace pollux {

class TreeBytes {
 public:
  void add(const ast::Query& query);
  void add(const ast::Partition& partition);
  void add(const ast::StreamDefinition& definition);
  void add(const ast::WindowDefinition& definition);
  void add(const ast::TriggerDefinition& definition);
  void add(const ast::FunctionDefinition& definition);
  void add(const ast::AggregationDefinition& definition);
  void add(const ast::Annotation& annotation);

  void add_text(std::string_view text);
  void add_number(int64_t number);

  const std::string& bytes() const { return bytes_; }
  /// What was mentioned, in order, with repetitions: streams and whatever else has a name in the
  /// plan and is read or written ("!S" for a fault stream, no inner ones), and functions without a
  /// namespace.
  const std::vector<std::string>& sources() const { return sources_; }
  const std::vector<std::string>& targets() const { return targets_; }
  const std::vector<std::string>& functions() const { return functions_; }

 private:
  void add(const std::vector<ast::Annotation>& annotations);
  void add(const ast::ExpressionPtr& expression);
  void add(const ast::Expression& expression);
  void add(const std::vector<ast::ExpressionPtr>& expressions);
  void add(const ast::Reference& reference);
  void add(const ast::EventIndex& index);
  void add(const ast::StreamHandler& handler);
  void add(const ast::StreamSource& source);
  void add(const ast::JoinInput& join);
  void add(const ast::StateElement& element);
  void add(const ast::StateInput& input);
  void add(const ast::Selector& selector);
  void add(const ast::OutputRate& rate);
  void add(const ast::OutputAction& output);
  void add(const Value& constant);
  void add_optional(const std::optional<int64_t>& number);
  /// A name of a stream, which the plan makes itself for anonymous ones.
  void add_stream(std::string_view name, bool inner, bool fault, std::vector<std::string>& seen);

  std::string bytes_;
  std::vector<std::string> sources_;
  std::vector<std::string> targets_;
  std::vector<std::string> functions_;
};

}  // namespace pollux
