// The text of a result. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/publishers/publisher.h"

namespace pollux {

/// {"stream":...,"timestamp":ms,"id":"...","data":{...}}, as `pollux run` writes it; no line end.
void append_row_json(std::string& out, const PublishedRow& row);

/// A JSON value: "text", 12, 1.5, true, null; NaN and the infinities as strings.
void append_value_json(std::string& out, const EventBatch& batch, uint32_t row, size_t column);
/// Plain: text, 12, 1.5, true, null.
void append_value_text(std::string& out, const EventBatch& batch, uint32_t row, size_t column);
/// What stands between the quotes of a JSON string.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace pollux
