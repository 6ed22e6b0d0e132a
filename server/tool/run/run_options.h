// What `pollux run` was asked to do, as given on the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/language/dialect.h"
#include "server/tool/function_options.h"
#include "server/tool/input_options.h"

namespace pollux::tool {

/// --advance: after the last row time stands still, or goes on until what waits then is due.
constexpr const char* kAdvanceNone = "none";
constexpr const char* kAdvanceMax = "max";

struct RunOptions {
  std::string plan_path{};
  std::string entries{};             ///< an export of a journal, in the place of all but these:
  std::vector<std::string> plans{};  ///< with `entries`: whose results are shown; none: all
  std::vector<std::string> parameters{};  ///< NAME=VALUE
  std::vector<std::string> inputs{};      ///< STREAM=FILE
  std::vector<std::string> outputs{};     ///< STREAM; none: the plan's leaf outputs
  std::vector<std::string> timestamps{};  ///< [STREAM.]ATTRIBUTE
  std::vector<std::string> constants{};   ///< STREAM.ATTRIBUTE=VALUE
  std::vector<std::string> queries{};     ///< asked of the plan's tables at the end
  std::string advance{kAdvanceMax};       ///< a duration, kAdvanceNone or kAdvanceMax
  InputOptions input{};
  FunctionOptions functions{};
  Dialect dialect = Dialect::k51;  ///< of a plan that does not say it
  uint32_t batch_rows = 1024;
  bool stats = false;
};

}  // namespace pollux::tool
