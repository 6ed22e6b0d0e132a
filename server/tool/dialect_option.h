// Which version of SiddhiQL plans on the command line are meant in.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "engine/language/dialect.h"

namespace pollux::tool {

inline void add_dialect_option(CLI::App& command, Dialect& dialect) {
  auto take = [&dialect](const std::string& text) { dialect = *parse_dialect(text); };
  command
      .add_option_function<std::string>(
          "--dialect", take,
          "The SiddhiQL that plans without an @Plan annotation are meant in (default: 5.1)")
      ->check(CLI::IsMember({"5.1", "3.1"}))
      ->type_name("DIALECT");
}

}  // namespace pollux::tool
