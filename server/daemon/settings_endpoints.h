// receivers:, sinks: and event_stores: of the settings as endpoints, and mistakes in them as errors
// of the settings. Thread: any.
#pragma once

#include <vector>

#include "server/endpoints/endpoint.h"
#include "server/settings/load.h"

namespace pollux {

std::vector<EndpointDefinition> receivers_of(const Settings& settings);
/// An event store is a sink into that store.
std::vector<EndpointDefinition> sinks_of(const Settings& settings);

std::vector<SettingError> to_setting_errors(const EndpointMistakes& mistakes);

/// All that is wrong with the endpoints, without opening anything.
std::vector<SettingError> check_endpoints(const Settings& settings);

}  // namespace pollux
