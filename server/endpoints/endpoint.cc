#include "server/endpoints/endpoint.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

std::vector<EndpointOption> options_of(const std::vector<AnnotationOption>& written) {
  std::vector<EndpointOption> options;
  for (const AnnotationOption& option : written) {
    options.push_back({option.key, option.value, {{}, option.location}});
  }
  return options;
}

EndpointMapping mapping_of(const StreamMapping& written, EndpointMistakes& mistakes) {
  EndpointMapping map;
  map.type = written.type;
  map.options = options_of(written.options);
  map.place = {{}, written.location};
  if (written.payload.size() > 1 || (!written.payload.empty() && !written.payload[0].key.empty())) {
    mistakes.push_back(
        {{{}, written.payload[0].location}, "@payload must be one text: @payload('...')", {}});
  } else if (!written.payload.empty()) {
    map.payload = EndpointOption{{}, written.payload[0].value, {{}, written.payload[0].location}};
  }
  if (!written.attributes.empty()) {
    mistakes.push_back({{{}, written.attributes[0].location},
                        "@attributes is not supported: fields go by the attributes' names",
                        {}});
  }
  return map;
}

bool same_options(const std::vector<EndpointOption>& a, const std::vector<EndpointOption>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const EndpointOption& x, const EndpointOption& y) {
                      return x.key == y.key && x.value == y.value;
                    });
}

bool same_map(const std::optional<EndpointMapping>& a, const std::optional<EndpointMapping>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  bool same_payload = a->payload.has_value() == b->payload.has_value() &&
                      (!a->payload || a->payload->value == b->payload->value);
  return a->type == b->type && same_options(a->options, b->options) && same_payload;
}

bool same_holder(const StoredHolder* a, const StoredHolder* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return is_same_content(*a, *b) && a->retention_ms == b->retention_ms;
}

}  // namespace

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) ==
           absl::ascii_tolower(static_cast<unsigned char>(y));
  });
}

std::string to_text(const EndpointPlace& place) {
  if (place.file.empty()) return absl::StrCat(place.at.line, ":", place.at.column);
  return absl::StrCat(place.file, ":", place.at.line);
}

std::string to_text(const EndpointMistake& mistake) {
  std::string text = absl::StrCat(to_text(mistake.place), ": ", mistake.message);
  if (!mistake.hint.empty()) absl::StrAppend(&text, "; did you mean '", mistake.hint, "'?");
  return text;
}

Diagnostics to_diagnostics(const EndpointMistakes& mistakes) {
  Diagnostics diagnostics;
  for (const EndpointMistake& mistake : mistakes) {
    if (mistake.place.file.empty()) {
      std::string hint =
          mistake.hint.empty() ? "" : absl::StrCat("did you mean '", mistake.hint, "'?");
      diagnostics.push_back({mistake.place.at, mistake.message, {}, std::move(hint)});
    } else {
      diagnostics.push_back({{}, to_text(mistake), {}, {}});
    }
  }
  return diagnostics;
}

const EndpointOption* EndpointDefinition::option(std::string_view key) const {
  auto found = std::find_if(options.begin(), options.end(), [&](const EndpointOption& option) {
    return same_letters(option.key, key);
  });
  return found == options.end() ? nullptr : &*found;
}

bool EndpointDefinition::same_as(const EndpointDefinition& other) const {
  return name == other.name && plan == other.plan && stream == other.stream && type == other.type &&
         same_options(options, other.options) && same_map(map, other.map) &&
         same_holder(holder.get(), other.holder.get());
}

bool is_only_read(const StoredHolder& holder) { return holder.primary_key.empty(); }

EndpointDefinition store_sink_of(const StoredHolder& holder) {
  EndpointDefinition sink;
  sink.stream = holder.stream;
  sink.type = "store";
  sink.place = {{}, holder.location};
  sink.options = options_of(holder.options);
  sink.holder = std::make_shared<const StoredHolder>(holder);
  return sink;
}

std::vector<EndpointDefinition> sinks_of(const PlanDescription& plan, EndpointMistakes& mistakes) {
  auto sinks = endpoints_of(plan, StreamEndpoint::Kind::kSink, mistakes);
  for (const StoredHolder& holder : plan.stored) {
    EndpointDefinition sink = store_sink_of(holder);
    sink.plan = plan.name;
    sink.name = absl::StrCat(plan.name, "/", holder.stream.substr(plan.name.size() + 1), "/store");
    sinks.push_back(std::move(sink));
  }
  return sinks;
}

std::vector<EndpointDefinition> endpoints_of(const PlanDescription& plan, StreamEndpoint::Kind kind,
                                             EndpointMistakes& mistakes) {
  std::vector<EndpointDefinition> endpoints;
  std::map<std::string, int> count;
  for (const StreamEndpoint& written : plan.endpoints) {
    if (written.kind != kind) continue;
    EndpointDefinition endpoint;
    endpoint.plan = plan.name;
    endpoint.stream = written.stream;
    endpoint.type = absl::AsciiStrToLower(written.type);
    endpoint.place = {{}, written.location};
    endpoint.options = options_of(written.options);
    if (written.map) endpoint.map = mapping_of(*written.map, mistakes);
    for (const AnnotationText& nested : written.nested) {
      mistakes.push_back(
          {{{}, nested.location}, absl::StrCat("@", nested.name, " is not supported here"), {}});
    }
    std::string name = absl::StrCat(plan.name, "/", written.stream, "/", endpoint.type);
    endpoint.name = absl::StrCat(name, "/", ++count[name]);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

}  // namespace pollux
