// JSON text of single values, appended to an OutputBuffer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/formats/output_buffer.h"

namespace pollux {

/// In double quotes; quotes, backslashes and control characters escaped, all else as it is.
void append_json_string(OutputBuffer& out, std::string_view text);
std::string json_string(std::string_view text);

void append_json_number(OutputBuffer& out, int32_t value);
void append_json_number(OutputBuffer& out, int64_t value);
void append_json_number(OutputBuffer& out, uint64_t value);
/// The shortest text that reads back as the same number; "NaN", "Infinity" and "-Infinity", which
/// JSON does not have, as strings.
void append_json_number(OutputBuffer& out, float value);
void append_json_number(OutputBuffer& out, double value);

}  // namespace pollux
