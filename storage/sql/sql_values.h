// Values as the database writes them: texts. Thread: any. What is none of its kind is kDataLoss,
// since a number that is read wrongly would write rows twice.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "storage/record_store.h"

namespace pollux::sql {

using SqlRow = std::vector<std::optional<std::string>>;

template <class Number>
absl::StatusOr<Number> number_of(const std::optional<std::string>& text) {
  Number number{};
  if (text) {
    const char* end = text->data() + text->size();
    auto [read, error] = std::from_chars(text->data(), end, number);
    if (error == std::errc() && read == end && !text->empty()) return number;
  }
  return absl::DataLossError("the database gave '" + text.value_or("null") + "' for a number");
}

/// Of three columns, from `first` on.
absl::StatusOr<RowId> row_id_of(const SqlRow& row, size_t first);

/// All rows, of these columns and pollux_time.
absl::StatusOr<EventBatchPtr> batch_of(const std::vector<SqlRow>& rows, const SchemaPtr& schema);

/// Adds a row of the batch's columns and pollux_time.
absl::Status append_sql_row(const SqlRow& row, EventBatch& batch);

}  // namespace pollux::sql
