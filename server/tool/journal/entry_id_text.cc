#include "server/tool/journal/entry_id_text.h"

#include <charconv>

namespace pollux::tool {
namespace {

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string to_text(EntryId id) {
  return std::to_string(id.epoch.value) + "." + std::to_string(id.position.value);
}

std::optional<EntryPlace> parse_entry_place(std::string_view text) {
  EntryPlace place;
  if (size_t dot = text.find('.'); dot != std::string_view::npos) {
    std::optional<uint64_t> epoch = whole_number(text.substr(0, dot));
    if (!epoch) return std::nullopt;
    place.epoch = Epoch{*epoch};
    text.remove_prefix(dot + 1);
  }
  std::optional<uint64_t> position = whole_number(text);
  if (!position) return std::nullopt;
  place.position = {*position};
  return place;
}

std::optional<EntryId> parse_entry_id(std::string_view text) {
  std::optional<EntryPlace> place = parse_entry_place(text);
  if (!place || !place->epoch) return std::nullopt;
  return EntryId{*place->epoch, place->position};
}

}  // namespace pollux::tool
