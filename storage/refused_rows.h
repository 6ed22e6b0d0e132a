// Rows that a store refuses for ever, kept where an operator finds them: in an ordinary table of
// the same store, made when the first one comes. Only the store itself writes there.
//
//   _timestamp  long    the row's record time, since stores have no clock
//   table_name  string  where it was to go
//   source      string  from where it came
//   row_id      string  "epoch.position.ordinal"
//   reason      string  why the store does not take it
//   row         string  its columns as a JSON object
//
// What is no text, also a zero byte, stands as \xHH (in the JSON with two backslashes); texts are
// cut behind kRefusedTextBytesMax bytes, and columns that would make the JSON longer than
// kRefusedRowBytesMax are left out and counted under "...". Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/table_shape.h"

namespace pollux {

inline constexpr std::string_view kRefusedRowsTable = "POLLUX_REFUSED_ROWS";
inline constexpr size_t kRefusedTextBytesMax = 1024;
inline constexpr size_t kRefusedRowBytesMax = size_t{32} << 10;

TableDefinition refused_rows_definition();

/// Adds row `row` of `rows`, which was to go to the table of this shape, to a batch of the columns
/// above.
void append_refused_row(EventBatch& to, const TableShape& shape, const Rows& rows, uint32_t row,
                        std::string_view reason);

}  // namespace pollux
