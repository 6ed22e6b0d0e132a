// The text of an entry's id: "epoch.position". Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/types/ids.h"

namespace pollux::tool {

std::string to_text(EntryId id);

/// Nothing when the text is no id.
std::optional<EntryId> parse_entry_id(std::string_view text);

/// Where an export begins or ends: "epoch.position", or a position, of whatever epoch.
struct EntryPlace {
  std::optional<Epoch> epoch;
  Position position;
};
std::optional<EntryPlace> parse_entry_place(std::string_view text);

}  // namespace pollux::tool
