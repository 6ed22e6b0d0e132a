// Names and literals of SQL texts for MySQL. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/types/schema.h"
#include "storage/sql/relation.h"

namespace pollux::mysql {

/// As a name in an SQL text, whatever the bytes.
std::string quoted(std::string_view name);

/// As a binary literal, whatever the bytes and the server's mode.
std::string literal(std::string_view bytes);

/// The column's type; objects have none.
std::string_view sql_type(AttributeType type);
/// What information_schema calls it.
std::string_view data_type(AttributeType type);

/// All of the definition and the time, as they are to be read.
std::string read_columns(const sql::Relation& relation, std::string_view time = "pollux_time");

}  // namespace pollux::mysql
