#include "tests/conformance/transports.h"

#include <algorithm>
#include <utility>

namespace pollux::conformance {
namespace {

using Kind = StreamEndpoint::Kind;

const std::string* option(const StreamEndpoint& endpoint, std::string_view key) {
  for (const AnnotationOption& each : endpoint.options) {
    if (each.key == key) return &each.value;
  }
  return nullptr;
}

/// @distribution among the annotations of a sink; null when there is none.
const AnnotationText* distribution_of(const StreamEndpoint& endpoint) {
  for (const AnnotationText& nested : endpoint.nested) {
    if (nested.name == "distribution") return &nested;
  }
  return nullptr;
}

std::string error_of_distribution(const AnnotationText& distribution) {
  const std::string* strategy = distribution.value("strategy");
  if (strategy == nullptr) return "a distribution needs a strategy";
  if (*strategy == "partitioned" && distribution.value("partitionKey") == nullptr) {
    return "a partitioned distribution needs a partitionKey";
  }
  bool known = *strategy == "partitioned" || *strategy == "roundRobin" || *strategy == "broadcast";
  return known ? "" : "there is no strategy '" + *strategy + "'";
}

/// A topic such as '{{symbol}}-events' with the row's values.
std::string filled(std::string text, const Row& row, const std::vector<std::string>& attributes) {
  for (size_t a = 0; a < attributes.size(); ++a) {
    std::string place = "{{" + attributes[a] + "}}";
    for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
      std::string value = to_text(row[a]);
      text.replace(at, place.size(), value);
      at += value.size();
    }
  }
  return text;
}

}  // namespace

std::string Transports::error_of(const std::vector<StreamEndpoint>& endpoints) {
  for (const StreamEndpoint& endpoint : endpoints) {
    bool sink = endpoint.kind == Kind::kSink;
    std::string what = (sink ? "sink '" : "source '") + endpoint.type + "'";
    bool in_memory = endpoint.type == "inMemory";
    if (!in_memory && !(sink && endpoint.type == "log")) return "there is no " + what;
    if (endpoint.map && !endpoint.map->type.empty() && endpoint.map->type != "passThrough") {
      return "there is no mapper '" + endpoint.map->type + "'";
    }
    const AnnotationText* distribution = sink ? distribution_of(endpoint) : nullptr;
    if (distribution != nullptr) {
      std::string error = error_of_distribution(*distribution);
      if (!error.empty()) return error;
    } else if (in_memory && option(endpoint, "topic") == nullptr) {
      return "a " + what + " needs a topic";
    }
  }
  return {};
}

void Transports::connect(int64_t runtime, std::vector<StreamEndpoint> endpoints) {
  endpoints_[runtime] = std::move(endpoints);
}

bool Transports::has_sources() const {
  return std::any_of(endpoints_.begin(), endpoints_.end(), [](const auto& runtime) {
    return std::any_of(
        runtime.second.begin(), runtime.second.end(),
        [](const StreamEndpoint& endpoint) { return endpoint.kind == Kind::kSource; });
  });
}

bool Transports::has_sink(int64_t runtime, const std::string& stream) const {
  auto at = endpoints_.find(runtime);
  return at != endpoints_.end() &&
         std::any_of(at->second.begin(), at->second.end(), [&](const StreamEndpoint& endpoint) {
           return endpoint.kind == Kind::kSink && endpoint.type == "inMemory" &&
                  endpoint.stream == stream;
         });
}

std::vector<Transports::Arrival> Transports::publish(
    int64_t runtime, const Delivery& delivery, const std::vector<std::string>& attributes) const {
  std::vector<Arrival> arrivals;
  for (const StreamEndpoint& sink : endpoints_.at(runtime)) {
    if (sink.kind != Kind::kSink || sink.type != "inMemory") continue;
    if (sink.stream != delivery.target) continue;
    if (distribution_of(sink) != nullptr) {
      if (has_sources()) throw Unsupported{"a sink that distributes to a source"};
      continue;
    }
    for (const Delivery::Event& event : delivery.events) {
      std::string topic = filled(*option(sink, "topic"), event.row, attributes);
      for (const auto& [to, endpoints] : endpoints_) {
        for (const StreamEndpoint& source : endpoints) {
          if (source.kind != Kind::kSource || *option(source, "topic") != topic) continue;
          arrivals.push_back({to, source.stream, {event.row}});
        }
      }
    }
  }
  return arrivals;
}

}  // namespace pollux::conformance
