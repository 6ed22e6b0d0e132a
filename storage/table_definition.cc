#include "storage/table_definition.h"

#include <algorithm>
#include <set>

#include "engine/base/check.h"
#include "storage/refused_rows.h"

namespace pollux {
namespace {

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_table_name(std::string_view name) {
  return !name.empty() && name.size() <= TableDefinition::kNameBytesMax && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

/// Faults, collected so that all are told at once.
class Faults {
 public:
  void add(const std::string& fault) { text_ += (text_.empty() ? "" : "; ") + fault; }
  bool none() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void check_columns(const Schema& schema, Faults& faults) {
  if (schema.size() == 0) faults.add("it has no columns");
  if (schema.size() > TableDefinition::kColumnsMax) {
    faults.add("it has " + std::to_string(schema.size()) + " columns, at most " +
               std::to_string(TableDefinition::kColumnsMax) + " are possible");
  }
  std::set<std::string_view> names;
  for (const Attribute& column : schema.attributes()) {
    if (column.name.empty() || column.name.size() > TableDefinition::kNameBytesMax ||
        column.name.find('\0') != std::string::npos) {
      faults.add("a column's name is empty, too long or holds a zero byte");
    }
    if (!names.insert(column.name).second) faults.add("column '" + column.name + "' stands twice");
    if (column.type == AttributeType::kObject) {
      faults.add("column '" + column.name + "' is an object, which cannot be stored: leave it out");
    }
  }
}

void check_key(const TableDefinition& definition, Faults& faults) {
  std::set<std::string_view> names;
  for (const std::string& name : definition.primary_key) {
    if (!definition.schema->find(name)) {
      faults.add("the primary key names '" + name + "', which is not a column");
    }
    if (!names.insert(name).second) faults.add("the primary key names '" + name + "' twice");
  }
}

std::string column_text(const Attribute& column) {
  return "'" + column.name + " " + std::string(name_of(column.type)) + "'";
}

std::string key_text(const std::vector<std::string>& key) {
  if (key.empty()) return "none (rows are appended)";
  std::string text;
  for (const std::string& name : key) text += (text.empty() ? "" : ", ") + name;
  return "(" + text + ")";
}

/// The retention is free.
bool is_of_refused_rows(const TableDefinition& definition) {
  return definition.schema != nullptr && definition.primary_key.empty() &&
         definition.schema->same_attributes(*refused_rows_definition().schema);
}

}  // namespace

std::string table_name_of(std::string_view stream) {
  std::string name(stream.substr(0, stream.find(':')));
  for (char& c : name) {
    if (c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

absl::Status check_definition(const TableDefinition& definition) {
  Faults faults;
  if (!is_table_name(definition.name)) {
    faults.add("a table's name has 1 to " + std::to_string(TableDefinition::kNameBytesMax) +
               " letters, digits and '_' and does not begin with a digit");
  }
  if (definition.schema == nullptr) {
    faults.add("it has no schema");
  } else {
    check_columns(*definition.schema, faults);
    check_key(definition, faults);
  }
  if (definition.retention_ms < 0) faults.add("the retention is negative");
  if (definition.name == kRefusedRowsTable && !is_of_refused_rows(definition)) {
    faults.add("that name belongs to the rows that the store refuses, which have other columns");
  }
  if (faults.none()) return absl::OkStatus();
  return absl::InvalidArgumentError("table '" + definition.name.substr(0, 200) +
                                    "' cannot be made: " + faults.text());
}

absl::Status check_successor(const TableDefinition& stored, const TableDefinition& wanted) {
  Faults faults;
  const auto& old_columns = stored.schema->attributes();
  const auto& new_columns = wanted.schema->attributes();
  for (size_t i = 0; i < old_columns.size(); ++i) {
    if (i >= new_columns.size()) {
      faults.add("column " + column_text(old_columns[i]) + " is missing");
    } else if (old_columns[i] != new_columns[i]) {
      faults.add("column " + std::to_string(i + 1) + " is " + column_text(old_columns[i]) +
                 ", not " + column_text(new_columns[i]));
    }
  }
  if (stored.primary_key != wanted.primary_key) {
    faults.add("the primary key is " + key_text(stored.primary_key) + ", not " +
               key_text(wanted.primary_key));
  }
  if (faults.none()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "table " + stored.name + " exists with another definition: " + faults.text() +
      "; only columns at the end can be added: keep the old definition, drop the table, or use "
      "another name");
}

std::optional<size_t> record_time_column(const Schema& schema) {
  for (std::string_view name : {"_timestamp", "timestamp", "ts"}) {
    std::optional<size_t> column = schema.find(name);
    if (column && schema[*column].type == AttributeType::kLong) return column;
  }
  return std::nullopt;
}

std::vector<size_t> key_columns_of(const TableDefinition& definition) {
  std::vector<size_t> columns;
  for (const std::string& name : definition.primary_key) {
    std::optional<size_t> column = definition.schema->find(name);
    POLLUX_CHECK(column.has_value());
    columns.push_back(*column);
  }
  return columns;
}

}  // namespace pollux
