// Keys whose order as bytes is the order of their values, by which
// RocksDB sorts rows by time and by primary key, and every store knows equal keys.
//
//   numbers   big-endian; signed ones with the sign bit flipped
//   column    0x00 for null (so nulls come first), else 0x01 and the value:
//     bool            u8, 0 or 1
//     int, long       as numbers
//     float, double   IEEE bits, all flipped when negative, else only the sign bit. -0.0 is 0.0,
//                     and all NaNs are one, beyond every number.
//     string          its bytes, each 0x00 as 0x00 0xFF, and 0x00 0x01 at the end
#pragma once

#include <cstdint>
#include <string>

#include "engine/batch/column.h"

namespace pollux {

void append_ordered(std::string& to, uint32_t value);
void append_ordered(std::string& to, uint64_t value);
void append_ordered(std::string& to, int64_t value);

/// One column of a primary key.
void append_ordered(std::string& to, const Column& column, uint32_t row);

/// Reads what append_ordered(int64_t) wrote; `bytes` holds eight of them.
int64_t read_ordered_i64(const char* bytes);

}  // namespace pollux
