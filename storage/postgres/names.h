// Names and literals of SQL texts for PostgreSQL. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/schema.h"

namespace pollux::postgres {

/// As a name in an SQL text, whatever the bytes.
std::string quoted(std::string_view name);

/// As a text in an SQL text, which has no zero byte in it.
std::string literal(std::string_view text);

/// As an array of texts, for a parameter.
std::string array_of(const std::vector<std::optional<std::string>>& values);

/// The column's type; objects have none.
std::string_view sql_type(AttributeType type);

/// Whether the server takes these bytes as a text: UTF-8 without a zero byte.
bool is_storable_text(std::string_view text);

}  // namespace pollux::postgres
