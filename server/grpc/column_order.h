// Which column of a message belongs to which attribute of a stream.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/types/schema.h"
#include "server/grpc/batch_fault.h"

namespace pollux {

/// For each attribute the index among `count` columns named `name_of_column`; empty with `fault`
/// filled when not each attribute has exactly one.
std::vector<int> order_columns(const Schema& schema, int count,
                               const std::function<const std::string&(int)>& name_of_column,
                               BatchFault& fault);

/// Says in `fault` when a batch has no rows, or too many.
bool check_row_count(uint64_t rows, uint32_t rows_max, BatchFault& fault);

/// Event times lie in the years 1970 to 9999; else the row gets its fault.
bool check_timestamp(int64_t timestamp_ms, uint32_t row, BatchFault& fault);

/// What is said of a text that is not UTF-8.
constexpr char kNotUtf8[] = "not valid UTF-8";

/// "expected int values, found long values".
std::string wrong_type(AttributeType expected, const char* found);

}  // namespace pollux
