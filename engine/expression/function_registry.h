// The one table of scalar functions: name, signature, doc, and how a call is made.
//
// Reference pages are written from it; the binder resolves calls by it. To add a function, add a
// FunctionEntry in one of the functions_*.cc files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/expression/expression.h"
#include "engine/expression/uuid_source.h"

namespace pollux {

/// What is wrong with a call: says which types were expected.
struct CallError {
  std::string message;
  std::string expected;
};

using CallResult = std::variant<ExpressionPtr, CallError>;

struct FunctionEntry {
  std::string_view name_space;  ///< empty for core functions
  std::string_view name;
  std::string_view signature;  ///< "(<long> time, <string> unit) <int>"
  std::string_view doc;
  std::function<CallResult(std::vector<ExpressionPtr> arguments)> make;
  bool reads_clock = false;  ///< of equal arguments it gives other results at other times
  /// In place of `make`, for a function that gives another result at each call.
  CallResult (*make_numbered)(std::vector<ExpressionPtr> arguments, UuidSource& uuids) = nullptr;
};

/// All functions, in a fixed order.
const std::vector<FunctionEntry>& function_table();

/// Adds functions, in the place of those of the same name. For the whole process, before it makes
/// its first engine; the texts of the entries must outlive it.
void add_functions(std::vector<FunctionEntry> entries);

/// Names match exactly, as in Siddhi. Null when there is none.
const FunctionEntry* find_function(std::string_view name_space, std::string_view name);

/// "ns:name", or "name" in the core.
std::string full_name(std::string_view name_space, std::string_view name);
/// Full names of every function, for hints.
std::vector<std::string> function_names();

// The tables that function_table() joins, one a file.
std::vector<FunctionEntry> core_functions();
std::vector<FunctionEntry> string_functions();
std::vector<FunctionEntry> pattern_functions();
std::vector<FunctionEntry> math_functions();
std::vector<FunctionEntry> number_text_functions();
std::vector<FunctionEntry> time_functions();
std::vector<FunctionEntry> list_functions();
std::vector<FunctionEntry> map_functions();
std::vector<FunctionEntry> json_functions();
std::vector<FunctionEntry> identity_functions();

}  // namespace pollux
