// Fields of an answer of the server's, by name. What is missing or of another type is empty, so
// that a server that is a little older or newer can still be talked to.
//
// simdjson's header is for .cc files only: so is this one.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pollux::tool {

std::string text_at(const simdjson::dom::element& object, std::string_view key);
uint64_t number_at(const simdjson::dom::element& object, std::string_view key);
bool flag_at(const simdjson::dom::element& object, std::string_view key);
std::vector<simdjson::dom::element> list_at(const simdjson::dom::element& object,
                                            std::string_view key);
/// "a, b, c"
std::string joined_texts_at(const simdjson::dom::element& object, std::string_view key);

/// A value for people: texts without quotes and control characters, all else as JSON.
std::string cell_text(const simdjson::dom::element& value);

}  // namespace pollux::tool
