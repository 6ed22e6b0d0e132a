#include "server/grpc/column_order.h"

#include "server/formats/row_error.h"
#include "server/formats/row_layout.h"

namespace pollux {

namespace {

std::string names_of(const Schema& schema) {
  std::string names;
  for (const Attribute& attribute : schema.attributes()) {
    if (!names.empty()) names += ", ";
    names += attribute.name;
  }
  return names;
}

}  // namespace

std::string to_text(const BatchFault& fault) {
  if (fault.row_faults == 0) {
    return fault.field.empty() ? fault.reason : fault.field + ": " + fault.reason;
  }
  const BadRow& first = fault.rows.front();
  return std::to_string(fault.row_faults) +
         (fault.row_faults == 1 ? " fault in rows: row " : " faults in rows, the first: row ") +
         std::to_string(first.row) + ": " + first.field + ": " + first.reason;
}

std::vector<int> order_columns(const Schema& schema, int count,
                               const std::function<const std::string&(int)>& name_of_column,
                               BatchFault& fault) {
  std::vector<int> order(schema.size(), -1);
  for (int column = 0; column < count; ++column) {
    const std::string& name = name_of_column(column);
    // Mostly they come in the stream's own order.
    auto at = static_cast<size_t>(column);
    std::optional<size_t> attribute =
        at < schema.size() && schema[at].name == name ? at : schema.find(name);
    if (!attribute) {
      fault.field = quoted_for_message(name);
      fault.reason = "no attribute of stream " + schema.name() + ", which has " + names_of(schema);
      return {};
    }
    if (order[*attribute] >= 0) {
      fault.field = name;
      fault.reason = "comes twice";
      return {};
    }
    order[*attribute] = column;
  }
  for (size_t attribute = 0; attribute < order.size(); ++attribute) {
    if (order[attribute] >= 0) continue;
    fault.field = schema[attribute].name;
    fault.reason = "missing; stream " + schema.name() + " has " + names_of(schema);
    return {};
  }
  return order;
}

bool check_row_count(uint64_t rows, uint32_t rows_max, BatchFault& fault) {
  if (rows >= 1 && rows <= rows_max) return true;
  fault.field = "rows";
  fault.reason = rows == 0 ? "a batch holds at least one row"
                           : std::to_string(rows) + " rows, at most " + std::to_string(rows_max) +
                                 " are taken at once";
  return false;
}

bool check_timestamp(int64_t timestamp_ms, uint32_t row, BatchFault& fault) {
  if (timestamp_ms >= 0 && timestamp_ms <= kTimestampMsMax) return true;
  fault.add_row(row, "timestamps_ms",
                std::to_string(timestamp_ms) +
                    " is no time in the years 1970 to 9999; expected milliseconds since 1970");
  return false;
}

std::string wrong_type(AttributeType expected, const char* found) {
  return "expected " + std::string(name_of(expected)) + " values, found " + found;
}

}  // namespace pollux
