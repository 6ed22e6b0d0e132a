// Single values as JSON that loses nothing, and back: what the lines of an export are made of.
//
// A text is a JSON string, or {"base64":"..."} where it is not UTF-8. A fractional number has a '.'
// or an exponent; what JSON has no number for is "NaN", "Infinity", "-Infinity", or {"bits":"..."}
// (hexadecimal) for a NaN of other bits than the usual ones. An object says what it is:
// {"int":1}, {"long":1}, {"float":1.5}, {"double":1.5}, {"list":[...]}, {"set":[...]},
// {"map":[[key,value],...]}; true, false, null and texts stand for themselves, and bytes that are
// not as the engine makes them are {"object":"base64"}. Thread: any.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pollux::tool {

void append_text_json(std::string& out, std::string_view text);
void append_float_json(std::string& out, float value);
void append_double_json(std::string& out, double value);
/// Of an encoded object (engine/types/object_value.h).
void append_object_json(std::string& out, std::string_view object);

// Each is nothing where something else stands.
std::optional<std::string> text_from(const simdjson::dom::element& json);
std::optional<float> float_from(const simdjson::dom::element& json);
std::optional<double> double_from(const simdjson::dom::element& json);
std::optional<std::string> object_from(const simdjson::dom::element& json);

}  // namespace pollux::tool
