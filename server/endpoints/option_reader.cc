#include "server/endpoints/option_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

std::string duration_text(milliseconds time) {
  if (time.count() % 1000 != 0 || time.count() == 0) return absl::StrCat(time.count(), " ms");
  return absl::StrCat(time.count() / 1000, " s");
}

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<milliseconds> parse_time_option(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t ms;
  };
  constexpr std::array<Unit, 14> kUnits = {{{"", 1},
                                            {"ms", 1},
                                            {"s", 1000},
                                            {"sec", 1000},
                                            {"m", 60'000},
                                            {"min", 60'000},
                                            {"minute", 60'000},
                                            {"minutes", 60'000},
                                            {"h", 3'600'000},
                                            {"hour", 3'600'000},
                                            {"hours", 3'600'000},
                                            {"d", 86'400'000},
                                            {"day", 86'400'000},
                                            {"days", 86'400'000}}};
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  for (const Unit& unit : kUnits) {
    if (!same_letters(unit.name, text)) continue;
    if (value > INT64_MAX / unit.ms) return std::nullopt;
    return milliseconds(value * unit.ms);
  }
  return std::nullopt;
}

OptionReader::OptionReader(const std::vector<EndpointOption>& options, EndpointPlace place,
                           EndpointMistakes& mistakes)
    : place_(std::move(place)), mistakes_(mistakes) {
  for (const EndpointOption& option : options) {
    bool twice = std::any_of(options_.begin(), options_.end(), [&](const Written& other) {
      return same_letters(other.option.key, option.key);
    });
    if (twice) mistake(option.place, absl::StrCat("option '", option.key, "' is given twice"));
    options_.push_back({option, twice});
  }
}

void OptionReader::mistake(const EndpointPlace& place, std::string message, std::string hint) {
  mistakes_.push_back({place, std::move(message), std::move(hint)});
}

std::optional<EndpointOption> OptionReader::take(const Keys& keys) {
  known_.push_back(keys.name);
  if (!keys.other.empty()) known_.push_back(keys.other);
  std::optional<EndpointOption> found;
  for (Written& written : options_) {
    if (written.taken) continue;
    bool first = same_letters(written.option.key, keys.name);
    if (!first && (keys.other.empty() || !same_letters(written.option.key, keys.other))) continue;
    written.taken = true;
    if (found) {
      mistake(written.option.place,
              absl::StrCat("options '", keys.name, "' and '", keys.other, "' mean the same"));
    } else {
      found = written.option;
    }
  }
  return found;
}

std::string OptionReader::text(const Keys& keys, std::string usual) {
  std::optional<EndpointOption> option = take(keys);
  return option ? option->value : std::move(usual);
}

std::string OptionReader::needed_text(const Keys& keys, std::string_view what) {
  std::optional<EndpointOption> option = take(keys);
  if (!option) {
    mistake(place_, absl::StrCat("option '", keys.name, "' is missing: ", std::string(what)));
    return {};
  }
  if (option->value.empty()) {
    mistake(option->place, absl::StrCat("option '", keys.name, "' is empty: ", std::string(what)));
  }
  return option->value;
}

uint64_t OptionReader::count(const Keys& keys, Range<uint64_t> range) {
  std::optional<EndpointOption> option = take(keys);
  if (!option) return range.usual;
  std::optional<uint64_t> value = parse_count(option->value);
  if (!value || *value < range.min || *value > range.max) {
    mistake(option->place, absl::StrCat("option '", keys.name, "' must be a number from ",
                                        range.min, " to ", range.max));
    return range.usual;
  }
  return *value;
}

milliseconds OptionReader::duration(const Keys& keys, Range<Milliseconds> range) {
  std::optional<EndpointOption> option = take(keys);
  if (!option) return range.usual;
  std::optional<milliseconds> value = parse_time_option(option->value);
  if (!value || *value < range.min || *value > range.max) {
    mistake(option->place,
            absl::StrCat("option '", keys.name, "' must be a time such as '",
                         duration_text(range.usual), "', from ", duration_text(range.min), " to ",
                         duration_text(range.max)));
    return range.usual;
  }
  return *value;
}

bool OptionReader::flag(const Keys& keys, bool usual) {
  std::optional<EndpointOption> option = take(keys);
  if (!option) return usual;
  if (same_letters(option->value, "true")) return true;
  if (same_letters(option->value, "false")) return false;
  mistake(option->place, absl::StrCat("option '", keys.name, "' must be true or false"));
  return usual;
}

size_t OptionReader::choice(const Keys& keys, const std::vector<std::string>& choices) {
  std::optional<EndpointOption> option = take(keys);
  if (!option) return 0;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (same_letters(option->value, choices[i])) return i;
  }
  mistake(option->place,
          absl::StrCat("option '", keys.name, "' must be one of ", absl::StrJoin(choices, ", ")),
          nearest_name(option->value, choices));
  return 0;
}

std::vector<EndpointOption> OptionReader::with_prefix(std::string_view prefix) {
  std::vector<EndpointOption> found;
  for (Written& written : options_) {
    const std::string& key = written.option.key;
    if (written.taken || key.size() <= prefix.size() ||
        !same_letters(std::string_view(key).substr(0, prefix.size()), prefix)) {
      continue;
    }
    written.taken = true;
    found.push_back({key.substr(prefix.size()), written.option.value, written.option.place});
  }
  return found;
}

void OptionReader::finish(std::string_view what) {
  for (const Written& written : options_) {
    if (written.taken) continue;
    mistake(written.option.place,
            absl::StrCat("unknown option '", written.option.key, "' of ", std::string(what)),
            nearest_name(written.option.key, known_));
  }
}

}  // namespace pollux
