// A row as bytes, the value under its key. Version 1:
//
//   version     u8 = 1
//   time        i64, the record time in ms
//   columns     varint n: how many the table had when the row was written
//   nulls       (n + 7) / 8 bytes, bit (i % 8) of byte (i / 8) is set when column i is null
//   values      of the columns that are not null, in order: bool u8, int i32, long i64, float and
//               double as their IEEE bits, string as varint length and bytes
//
// Numbers as in rocks/bytes.h. Columns beyond n were added later and read as null. There is no
// checksum here, since RocksDB keeps one for each block and log record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/batch/event_batch.h"

namespace pollux::rocks {

inline constexpr uint8_t kRowVersion = 1;

void append_row_bytes(std::string& to, const EventBatch& batch, uint32_t row, int64_t time_ms);

/// Bytes of that encoding, without making it.
size_t row_bytes(const EventBatch& batch, uint32_t row);

/// Adds the row to `batch`. False when the bytes are not a row of at most so many columns; the
/// batch is of no use then.
[[nodiscard]] bool decode_row(std::string_view bytes, EventBatch& batch);

/// Only the record time of a row; false as above.
[[nodiscard]] bool decode_row_time(std::string_view bytes, int64_t& time_ms);

}  // namespace pollux::rocks
