// XML of plain elements as maps and back: an element's name is a key, its text or the map of its
// elements the value. Attributes, comments and processing instructions are passed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pollux {

/// The elements inside of the outermost one. Of elements of one name the last counts. Empty when
/// the text is no XML or is nested too deep.
std::optional<std::string> parse_xml_map(std::string_view xml);

/// An element for each key of the map, inside of one named `root` unless that is empty.
std::string xml_text(std::string_view map, std::string_view root);

}  // namespace pollux
