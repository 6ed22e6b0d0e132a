// Cases that are answered otherwise on purpose (docs/differences.md).
#pragma once

#include <map>
#include <string>

namespace pollux::conformance {

struct Difference {
  std::string rule;      ///< what is done here instead, in a few words
  std::string own_case;  ///< the case of ours that holds it
};

/// By case id. A line of the file: id | rule | id of our own case; '#' begins a comment. Throws
/// std::runtime_error when it cannot be read, a line is none of these, or there are more than 20.
std::map<std::string, Difference> read_differences(const std::string& file);

}  // namespace pollux::conformance
