// Paths into JSON: $, .name, ['name'], [0], [-1], .* and [*], ..name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pollux {

class JsonPath {
 public:
  /// Empty when the text is no such path.
  static std::optional<JsonPath> parse(std::string_view text);

  /// What the path leads to in an object: one thing, or a list of all for paths with * or .. in
  /// them. Empty when it leads nowhere.
  std::optional<std::string> read(std::string_view object) const;

  /// Does the path lead anywhere?
  bool leads_anywhere(std::string_view object) const;

  /// The object with something else where the path leads: what `change` makes of what stands there,
  /// nothing where it makes nothing. Only for paths to one thing, and not where it leads nowhere.
  template <class Change>
  std::optional<std::string> replace(std::string_view object, const Change& change) const {
    return replace_at(object, 0, change);
  }

 private:
  struct Step {
    enum class Kind { kName, kIndex, kAll, kDeep } kind;
    std::string name;  ///< kName, kDeep: encoded as an object
    int64_t index = 0;
  };

  static bool parse_bracket(std::string_view& text, Step& step);
  void collect(std::string_view object, size_t step, std::vector<std::string_view>& found) const;
  bool is_definite() const;
  /// The place of a step's part among the parts of an object; -1 where it has none.
  static int64_t place_of(std::string_view object, const Step& step);
  static std::optional<std::string> with_part(std::string_view object, int64_t place,
                                              std::string_view part);

  template <class Change>
  std::optional<std::string> replace_at(std::string_view object, size_t step,
                                        const Change& change) const {
    if (step == steps_.size()) return change(object);
    int64_t place = place_of(object, steps_[step]);
    if (place < 0) return std::nullopt;
    std::string_view part = part_at(object, place);
    std::optional<std::string> changed = replace_at(part, step + 1, change);
    if (!changed) return std::nullopt;
    return with_part(object, place, *changed);
  }
  static std::string_view part_at(std::string_view object, int64_t place);

  std::vector<Step> steps_;
};

}  // namespace pollux
