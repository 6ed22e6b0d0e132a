// What commands that run or check plans are told of functions besides the engine's own.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace pollux::tool {

struct FunctionOptions {
  std::vector<std::string> extensions{};  ///< shared libraries
  std::string geo_database{};
};

void add_function_options(CLI::App& command, FunctionOptions& options);

/// Makes the functions known; empty, or what is wrong. Before the first engine is made.
std::string load_functions(const FunctionOptions& options);

}  // namespace pollux::tool
