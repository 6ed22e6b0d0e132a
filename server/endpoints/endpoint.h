// A source or a sink as somebody wrote it: in an annotation of a plan, or in the settings.
//
// Thread: values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/diagnostics.h"
#include "engine/runtime/plan_description.h"

namespace pollux {

/// Where something was written: in the text of a plan, or in a file of settings.
struct EndpointPlace {
  std::string file;  ///< empty: the text of the plan
  Location at;
};
/// "FILE:LINE", or "LINE:COLUMN" of a plan.
std::string to_text(const EndpointPlace& place);

struct EndpointOption {
  std::string key;
  std::string value;
  EndpointPlace place;
};

struct EndpointMapping {
  std::string type;  ///< "json", "csv", "text"; empty: none was said
  std::vector<EndpointOption> options;
  std::optional<EndpointOption> payload;
  EndpointPlace place;
};

struct EndpointDefinition {
  std::string name;  ///< unique among sinks, or among sources: "plan/stream/type/1"; of settings
                     ///< the name given there
  std::string plan;  ///< empty: of the settings
  std::string stream;
  std::string type;
  std::vector<EndpointOption> options;
  std::optional<EndpointMapping> map;
  /// A sink whose stream says what changed of this table or aggregation; null: any other.
  std::shared_ptr<const StoredHolder> holder;
  EndpointPlace place;

  /// The value under a key; letter case is ignored.
  const EndpointOption* option(std::string_view key) const;
  /// Says the same; where it was written does not count.
  bool same_as(const EndpointDefinition& other) const;
};

struct EndpointMistake {
  EndpointPlace place;
  std::string message;  ///< what is wrong, and what would be right
  std::string hint;     ///< the nearest known name; may be empty
};
using EndpointMistakes = std::vector<EndpointMistake>;

/// "FILE:LINE: message; did you mean 'x'?"
std::string to_text(const EndpointMistake& mistake);
/// For who deploys a plan: places of settings go into the message.
Diagnostics to_diagnostics(const EndpointMistakes& mistakes);

/// The sinks or the sources of a plan. What no endpoint may have is reported.
std::vector<EndpointDefinition> endpoints_of(const PlanDescription& plan, StreamEndpoint::Kind kind,
                                             EndpointMistakes& mistakes);

/// The sinks of a plan: those of its streams, and for each stored table, and unit of an
/// aggregation, the one that takes its changes to its store. Those that have no changes, since the
/// plan only reads them, are there too.
std::vector<EndpointDefinition> sinks_of(const PlanDescription& plan, EndpointMistakes& mistakes);
EndpointDefinition store_sink_of(const StoredHolder& holder);
/// The plan never changes it, so that its sink has nothing to take anywhere.
bool is_only_read(const StoredHolder& holder);

bool same_letters(std::string_view a, std::string_view b);

}  // namespace pollux
