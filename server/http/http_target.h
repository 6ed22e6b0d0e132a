// The target of a request, taken apart.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_message.h"

namespace pollux {

struct HttpTarget {
  std::string_view path;              ///< of the text it was made from, encoded
  std::vector<std::string> segments;  ///< decoded: "/v1/a%2Fb" has "v1" and "a/b"; "/" has ""
  std::vector<HttpParameter> query;   ///< decoded, '+' is a space
};

/// From "/path?query" or "http://host/path?query". Returns what is wrong with it: not a path, a bad
/// percent escape, a NUL; nullptr when it is right.
const char* parse_http_target(std::string_view text, HttpTarget& target);

}  // namespace pollux
