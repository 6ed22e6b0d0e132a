#include "storage/postgres/names.h"

#include "storage/sql/names.h"

namespace pollux::postgres {

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

std::string literal(std::string_view text) {
  std::string written = "E'";
  for (char c : text) written.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return written + "'";
}

std::string array_of(const std::vector<std::optional<std::string>>& values) {
  std::string text = "{";
  for (const auto& value : values) {
    if (text.size() > 1) text += ',';
    if (!value) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (char c : *value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

std::string_view sql_type(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return "text";
    case AttributeType::kInt:
      return "integer";
    case AttributeType::kLong:
      return "bigint";
    case AttributeType::kFloat:
      return "real";
    case AttributeType::kDouble:
      return "double precision";
    case AttributeType::kBool:
      return "boolean";
    case AttributeType::kObject:
      break;
  }
  return "";
}

bool is_storable_text(std::string_view text) {
  return text.find('\0') == std::string_view::npos && sql::is_utf8(text);
}

}  // namespace pollux::postgres
