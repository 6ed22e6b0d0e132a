// The functions that a plan defines itself, by name: compiled once, called in its expressions.
// Thread: the plan's; outlives its expressions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/expression/function_registry.h"
#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/script/javascript.h"

namespace pollux {

class ScriptFunctions {
 public:
  /// What is wrong with the definition goes to `diagnostics`, and then there is no such function.
  void define(const ast::FunctionDefinition& definition, Diagnostics& diagnostics);

  bool has(const std::string& name) const { return numbers_.count(name) > 0; }
  std::vector<std::string> names() const;
  /// A call of one that has() said to be there.
  CallResult call(const std::string& name, std::vector<ExpressionPtr> arguments);

  const ScriptFailures& failures() const { return scripts_.failures(); }

 private:
  JavaScript scripts_;
  std::map<std::string, uint32_t> numbers_;
};

}  // namespace pollux
