#include "server/daemon/settings_endpoints.h"

#include <iterator>
#include <utility>

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
