// Which file feeds which stream, and how its rows are read: the options of `pollux run` resolved
// against the streams of the deployed plan. All that is wrong is reported at once.
#pragma once

#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "server/formats/row_layout.h"
#include "server/tool/run/run_options.h"

namespace pollux::tool {

struct InputFile {
  std::string path;
  RowLayout layout;
};

struct InputPlan {
  std::vector<InputFile> files;      ///< in the order of the options
  std::vector<std::string> outputs;  ///< streams whose events are results
  std::vector<std::string> errors;   ///< not empty: the options do not fit the plan
};

InputPlan resolve_options(const RunOptions& options, const std::vector<StreamInfo>& streams);

}  // namespace pollux::tool
