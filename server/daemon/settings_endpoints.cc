#include "server/daemon/settings_endpoints.h"

#include <iterator>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/publishers/sink_types.h"
#include "server/receivers/receiver_manager.h"
#include "server/stores/store_set.h"

namespace pollux {
namespace {

EndpointPlace place_of(const SettingPlace& place) {
  return {place.name, {static_cast<uint32_t>(place.line), 1}};
}

EndpointDefinition definition_of(const ComponentSettings& component) {
  EndpointDefinition definition;
  definition.name = component.name;
  definition.stream = component.stream;
  definition.type = component.type;
  definition.place = place_of(component.place);
  for (const ComponentOption& option : component.options) {
    definition.options.push_back({option.name, option.value, place_of(option.place)});
  }
  return definition;
}

std::map<std::string, Datasource> read_stores(const Settings& settings,
                                              EndpointMistakes& mistakes) {
  std::map<std::string, Datasource> datasources;
  std::vector<std::string> names;
  for (const ComponentSettings& each : settings.datasources) {
    names.push_back(each.name);
    datasources.emplace(each.name, read_datasource(definition_of(each), mistakes));
  }
  std::map<std::string, Datasource> stores;
  for (const auto& [store, setting, name] :
       {std::tuple(kEventStore, "stores.event_store", settings.stores.event_store),
        std::tuple(kEventStoreWriteOptimised, "stores.event_store_wo",
                   settings.stores.event_store_wo),
        std::tuple(kProcessedDataStore, "stores.processed_data_store",
                   settings.stores.processed_data_store)}) {
    if (name.empty()) continue;
    auto datasource = datasources.find(name);
    if (datasource != datasources.end()) {
      stores.emplace(store, datasource->second);
    } else {
      mistakes.push_back({{setting, {}},
                          absl::StrCat("there is no datasource ", in_quotes(name)),
                          nearest_name(name, names)});
    }
  }
  return stores;
}

}  // namespace

std::vector<EndpointDefinition> receivers_of(const Settings& settings) {
  std::vector<EndpointDefinition> receivers;
  for (const ComponentSettings& each : settings.receivers) receivers.push_back(definition_of(each));
  return receivers;
}

std::vector<EndpointDefinition> sinks_of(const Settings& settings) {
  std::vector<EndpointDefinition> sinks;
  for (const ComponentSettings& each : settings.sinks) sinks.push_back(definition_of(each));
  for (const ComponentSettings& each : settings.event_stores) {
    EndpointDefinition sink = definition_of(each);
    sink.options.push_back({"store", sink.type, sink.place});
    sink.type = "store";
    sinks.push_back(std::move(sink));
  }
  return sinks;
}

std::map<std::string, StoreInDatabase> stores_in_databases(const Settings& settings) {
  EndpointMistakes ignored;  // check_endpoints() has told them
  std::map<std::string, std::shared_ptr<StoreDatabase>> databases;
  std::map<std::string, StoreInDatabase> stores;
  for (auto& [store, datasource] : read_stores(settings, ignored)) {
    std::shared_ptr<StoreDatabase>& database = databases[datasource.name];
    if (database == nullptr) database = make_database(datasource);
    stores.emplace(store, StoreInDatabase{datasource, database});
  }
  return stores;
}

StoreIn store_in_of(const Settings& settings) {
  std::map<std::string, std::string, std::less<>> stores;
  for (const auto& [store, in] : stores_in_databases(settings)) {
    stores.try_emplace(in.datasource.name, store);
  }
  return [stores = std::move(stores)](std::string_view datasource) {
    auto store = stores.find(datasource);
    return store == stores.end() ? std::string() : store->second;
  };
}

std::vector<SettingError> to_setting_errors(const EndpointMistakes& mistakes) {
  std::vector<SettingError> errors;
  for (const EndpointMistake& mistake : mistakes) {
    SettingError error;
    error.place = {mistake.place.file, static_cast<int>(mistake.place.at.line)};
    error.message = mistake.message;
    if (!mistake.hint.empty()) error.message += "; did you mean '" + mistake.hint + "'?";
    errors.push_back(std::move(error));
  }
  return errors;
}

std::vector<SettingError> check_endpoints(const Settings& settings) {
  EndpointMistakes mistakes;
  read_stores(settings, mistakes);
  SinkEnvironment environment;
  for (const EndpointDefinition& sink : sinks_of(settings)) {
    check_sink(sink, nullptr, environment, mistakes);
  }
  for (const EndpointDefinition& receiver : receivers_of(settings)) {
    check_receiver(receiver, nullptr, mistakes);
  }
  return to_setting_errors(mistakes);
}

}  // namespace pollux
