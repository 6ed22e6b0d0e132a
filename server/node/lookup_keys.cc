#include "server/node/lookup_keys.h"

#include <memory>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

std::vector<size_t> key_columns(const StoredHolder& holder) {
  std::vector<size_t> columns;
  for (const std::string& name : holder.primary_key) columns.push_back(*holder.schema->find(name));
  return columns;
}

SchemaPtr schema_of_keys(const StoredHolder& holder) {
  std::vector<Attribute> attributes;
  for (size_t column : key_columns(holder)) attributes.push_back((*holder.schema)[column]);
  return std::make_shared<Schema>(holder.name, std::move(attributes));
}

/// Different keys of one schema have different texts.
std::string text_of(const std::vector<Value>& key) {
  std::string text;
  for (const Value& value : key) {
    const std::string part = to_text(value);
    absl::StrAppend(&text, part.size(), ":", part);
  }
  return text;
}

/// Empty: a part of it is null.
std::vector<Value> key_at(const EventBatch& batch, uint32_t row, std::span<const size_t> columns,
                          const Schema& keys) {
  std::vector<Value> key;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (batch.column(columns[i]).is_null(row)) return {};
    Value value = batch.value(row, columns[i]);
    const auto* number = std::get_if<int32_t>(&value);
    if (number != nullptr && keys[i].type == AttributeType::kLong) value = int64_t{*number};
    key.push_back(std::move(value));
  }
  return key;
}

}  // namespace

LookupKeys::LookupKeys(const TableLookups& lookups, const EventBatch& events)
    : holder_(lookups.holder), keys_(std::make_shared<EventBatch>(schema_of_keys(holder_))) {
  for (uint32_t row = 0; row < events.rows(); ++row) {
    for (const std::vector<size_t>& columns : lookups.keys) {
      const std::vector<Value> key = key_at(events, row, columns, keys_->schema());
      if (key.empty() || !known_.insert(text_of(key)).second) continue;
      for (size_t i = 0; i < key.size(); ++i) keys_->append_value(i, key[i]);
      keys_->end_row(0);
    }
  }
}

absl::Status LookupKeys::take(const EventBatch& found, EventBatch& rows) {
  if (!found.schema().same_attributes(rows.schema())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "table ", holder_.table, " gave rows of other columns than '", holder_.name, "' has"));
  }
  const std::vector<size_t> columns = key_columns(holder_);
  for (uint32_t row = 0; row < found.rows(); ++row) {
    const std::vector<Value> key = key_at(found, row, columns, keys_->schema());
    std::string text = key.empty() ? std::string() : text_of(key);
    if (!known_.contains(text)) continue;
    if (!taken_.insert(std::move(text)).second) {
      return absl::FailedPreconditionError(
          absl::StrCat("table ", holder_.table, " has two rows of one key: '", holder_.name,
                       "' must name the table's primary key, or columns that are unique together"));
    }
    append_row(rows, found, row);
    rows.mutable_timestamps().back() = 0;  // of rows that are looked up nobody knows a time
  }
  return absl::OkStatus();
}

}  // namespace pollux
