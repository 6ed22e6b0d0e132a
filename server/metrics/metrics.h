// The node's metrics as Prometheus reads them: read off the parts when asked, so that counting
// costs nothing more. Labels are names of deployed plans, streams and sinks only.
//
// Thread: any.
#pragma once

#include <string>

namespace pollux {

struct ApiParts;

/// All families with their help, in the text format 0.0.4.
std::string metrics_text(const ApiParts& parts);

}  // namespace pollux
