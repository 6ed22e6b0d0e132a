#include "storage/mysql/names.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pollux::mysql {

std::string quoted(std::string_view name) {
  std::string text = "`";
  for (char c : name) text.append(c == '`' ? 2 : 1, c);
  return text + "`";
}

std::string literal(std::string_view bytes) {
  return absl::StrCat("X'", absl::BytesToHexString({bytes.data(), bytes.size()}), "'");
}

std::string_view sql_type(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return "LONGTEXT";
    case AttributeType::kInt:
      return "INT";
    case AttributeType::kLong:
      return "BIGINT";
    case AttributeType::kFloat:
      return "FLOAT";
    case AttributeType::kDouble:
      return "DOUBLE";
    case AttributeType::kBool:
      return "BOOLEAN";
    case AttributeType::kObject:
      break;
  }
  return "";
}

std::string_view data_type(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return "longtext";
    case AttributeType::kInt:
      return "int";
    case AttributeType::kLong:
      return "bigint";
    case AttributeType::kFloat:
      return "float";
    case AttributeType::kDouble:
      return "double";
    case AttributeType::kBool:
      return "tinyint";
    case AttributeType::kObject:
      break;
  }
  return "";
}

std::string read_columns(const sql::Relation& relation, std::string_view time) {
  std::string text;
  const Schema& schema = *relation.definition.schema;
  for (size_t c = 0; c < schema.size(); ++c) {
    // A float as it is would come with six digits.
    const bool is_float = schema[c].type == AttributeType::kFloat;
    absl::StrAppend(&text, relation.columns[c], is_float ? " * 1e0, " : ", ");
  }
  return text + std::string(time);
}

}  // namespace pollux::mysql
