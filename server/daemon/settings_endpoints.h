// receivers:, sinks:, event_stores: and datasources: of the settings as endpoints, and mistakes in
// them as errors of the settings. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/endpoints/endpoint.h"
#include "server/settings/load.h"
#include "server/stores/datasource.h"
#include "server/stores/stored_holders.h"

namespace pollux {

std::vector<EndpointDefinition> receivers_of(const Settings& settings);
/// An event store is a sink into that store.
std::vector<EndpointDefinition> sinks_of(const Settings& settings);

struct StoreInDatabase {
  Datasource datasource;
  std::shared_ptr<StoreDatabase> database;  ///< one for all stores of the datasource
};

/// By their names, the stores that are not embedded, and where they are. The settings are checked.
std::map<std::string, StoreInDatabase> stores_in_databases(const Settings& settings);

/// Of the stores of a datasource, the first.
StoreIn store_in_of(const Settings& settings);

std::vector<SettingError> to_setting_errors(const EndpointMistakes& mistakes);

/// All that is wrong with the endpoints, without opening anything.
std::vector<SettingError> check_endpoints(const Settings& settings);

}  // namespace pollux
