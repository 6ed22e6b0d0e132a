// Which version of SiddhiQL plans on the command line are meant in.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "engine/language/dialect.h"

namespace pollux::tool {

inline void add_dialect_option(CLI::App& command, Dialect& dialect) {
  const std::map<std::string, Dialect> dialects{{"5.1", Dialect::k51}, {"3.1", Dialect::k31}};
  command
      .add_option("--dialect", dialect,
                  "The SiddhiQL that plans without an @Plan annotation are meant in: 5.1, which is "
                  "the default, or 3.1")
      ->transform(CLI::Transformer(dialects))
      ->type_name("5.1|3.1");
}

}  // namespace pollux::tool
