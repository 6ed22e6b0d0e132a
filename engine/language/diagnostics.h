// What is wrong with a plan's text: place, cause, and what to do about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pollux {

/// A place in the text. Lines and columns count from 1; a column counts bytes.
struct Location {
  uint32_t line = 1;
  uint32_t column = 1;
};

struct Diagnostic {
  Location location;
  std::string message;   ///< what is wrong, with what was found
  std::string expected;  ///< what would have been right; may be empty
  std::string hint;      ///< e.g. the nearest known name; may be empty
};

using Diagnostics = std::vector<Diagnostic>;

/// A text with more errors than this reports the first ones and says that there are more.
constexpr size_t kDiagnosticsMax = 100;

/// "file:line:column: error: message; expected ...; hint ...", one line for each.
std::string to_text(const Diagnostics& diagnostics, const std::string& file);

/// Sorts by place; more than kDiagnosticsMax are cut, and one more says so.
void in_order_of_place(Diagnostics& diagnostics);

/// `text` in quotes for a message: cut when long, control characters and broken UTF-8 escaped.
std::string in_quotes(std::string_view text);

/// The candidate nearest to `name` by edit distance, if it is near enough to be a misspelling.
std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace pollux
