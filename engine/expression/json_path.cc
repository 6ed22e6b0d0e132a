#include "engine/expression/json_path.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/types/object_value.h"

namespace pollux {
namespace {

constexpr size_t kStepsMax = 64;

}  // namespace

/// ['name'], [0] or [*], of which the first bracket is taken already.
bool JsonPath::parse_bracket(std::string_view& text, Step& step) {
  if (text.substr(0, 2) == "*]") {
    step = {Step::Kind::kAll, {}, 0};
    text.remove_prefix(2);
    return true;
  }
  if (!text.empty() && (text[0] == '\'' || text[0] == '"')) {
    size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos || end + 1 >= text.size() || text[end + 1] != ']') {
      return false;
    }
    step = {Step::Kind::kName, encode_text_object(text.substr(1, end - 1)), 0};
    text.remove_prefix(end + 2);
    return true;
  }
  step = {Step::Kind::kIndex, {}, 0};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step.index);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.empty() || text[0] != ']') return false;
  text.remove_prefix(1);
  return true;
}

std::optional<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  if (text.empty() || text[0] != '$') return std::nullopt;
  text.remove_prefix(1);
  while (!text.empty()) {
    if (path.steps_.size() == kStepsMax) return std::nullopt;
    Step step{Step::Kind::kName, {}, 0};
    if (text[0] == '[') {
      text.remove_prefix(1);
      if (!parse_bracket(text, step)) return std::nullopt;
      path.steps_.push_back(std::move(step));
      continue;
    }
    if (text[0] != '.') return std::nullopt;
    text.remove_prefix(1);
    bool deep = !text.empty() && text[0] == '.';
    if (deep) text.remove_prefix(1);
    size_t end = std::min(text.find_first_of(".["), text.size());
    std::string_view name = text.substr(0, end);
    if (name.empty() || name.find_first_of("?()@]") != std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
    if (name == "*") {
      if (deep) return std::nullopt;
      step.kind = Step::Kind::kAll;
    } else {
      step = {deep ? Step::Kind::kDeep : Step::Kind::kName, encode_text_object(name), 0};
    }
    path.steps_.push_back(std::move(step));
  }
  return path;
}

bool JsonPath::is_definite() const {
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::kAll || step.kind == Step::Kind::kDeep) return false;
  }
  return true;
}

int64_t JsonPath::place_of(std::string_view object, const Step& step) {
  if (step.kind == Step::Kind::kName) {
    std::vector<ObjectPair> pairs = pairs_of(object);
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].first == step.name) return static_cast<int64_t>(i) * 2 + 1;
    }
    return -1;
  }
  if (step.kind != Step::Kind::kIndex || tag_of(object) != ObjectTag::kList) return -1;
  auto size = static_cast<int64_t>(size_of_object(object));
  int64_t place = step.index < 0 ? size + step.index : step.index;
  return place < 0 || place >= size ? -1 : place;
}

std::string_view JsonPath::part_at(std::string_view object, int64_t place) {
  return parts_of(object)[static_cast<size_t>(place)];
}

std::optional<std::string> JsonPath::with_part(std::string_view object, int64_t place,
                                               std::string_view part) {
  std::vector<std::string_view> parts = parts_of(object);
  parts[static_cast<size_t>(place)] = part;
  if (tag_of(object) == ObjectTag::kList) return make_list(parts);
  std::vector<ObjectPair> pairs;
  for (size_t i = 0; i + 1 < parts.size(); i += 2) pairs.emplace_back(parts[i], parts[i + 1]);
  return make_map(std::move(pairs));
}

void JsonPath::collect(std::string_view object, size_t step,
                       std::vector<std::string_view>& found) const {
  if (step == steps_.size()) {
    found.push_back(object);
    return;
  }
  const Step& at = steps_[step];
  bool map = tag_of(object) == ObjectTag::kMap;
  if (at.kind == Step::Kind::kName || at.kind == Step::Kind::kIndex) {
    int64_t place = place_of(object, at);
    if (place >= 0) collect(part_at(object, place), step + 1, found);
    return;
  }
  std::vector<std::string_view> parts = parts_of(object);
  for (size_t i = map ? 1 : 0; i < parts.size(); i += map ? 2 : 1) {
    if (at.kind == Step::Kind::kAll) {
      collect(parts[i], step + 1, found);
    } else {
      if (map && parts[i - 1] == at.name) collect(parts[i], step + 1, found);
      collect(parts[i], step, found);
    }
  }
}

bool JsonPath::leads_anywhere(std::string_view object) const {
  std::vector<std::string_view> found;
  collect(object, 0, found);
  return !found.empty();
}

std::optional<std::string> JsonPath::read(std::string_view object) const {
  std::vector<std::string_view> found;
  collect(object, 0, found);
  if (!is_definite()) return make_list(found);
  if (found.empty()) return std::nullopt;
  return std::string(found[0]);
}

}  // namespace pollux
