// Takes the options of a source or a sink one by one, checks them, and gathers what is wrong.
//
// Each key has one name and perhaps a second one, which other systems use for the same. Thread: one
// at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/endpoints/endpoint.h"

namespace pollux {

/// "250 ms", "30 s", "5 min", "2 h", "7 days"; a number alone is in milliseconds.
std::optional<std::chrono::milliseconds> parse_time_option(std::string_view text);

class OptionReader {
 public:
  struct Keys {
    Keys(const char* key) : name(key) {}  // NOLINT: a key alone is the usual case
    Keys(const char* key, const char* other_key) : name(key), other(other_key) {}
    std::string name;
    std::string other;
  };
  template <class T>
  struct Range {
    T usual, min, max;
  };
  using Milliseconds = std::chrono::milliseconds;

  OptionReader(const std::vector<EndpointOption>& options, EndpointPlace place,
               EndpointMistakes& mistakes);

  std::optional<EndpointOption> take(const Keys& keys);
  std::string text(const Keys& keys, std::string usual);
  /// Reports when there is none, or an empty one.
  std::string needed_text(const Keys& keys, std::string_view what);
  uint64_t count(const Keys& keys, Range<uint64_t> range);
  Milliseconds duration(const Keys& keys, Range<Milliseconds> range);
  bool flag(const Keys& keys, bool usual);
  /// The place of the value among `choices`; the first is the usual one.
  size_t choice(const Keys& keys, const std::vector<std::string>& choices);
  /// All options whose keys begin so, the prefix taken off.
  std::vector<EndpointOption> with_prefix(std::string_view prefix);

  void mistake(const EndpointPlace& place, std::string message, std::string hint = {});
  /// Reports the options that nobody asked for.
  void finish(std::string_view what);

 private:
  struct Written {
    EndpointOption option;
    bool taken = false;
  };
  std::vector<Written> options_;
  EndpointPlace place_;
  EndpointMistakes& mistakes_;
  std::vector<std::string> known_;
};

}  // namespace pollux
