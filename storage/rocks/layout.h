// Where what stands in the RocksDB of a store. Every key begins with a letter:
//
//   in the family that every RocksDB has
//     'f'                              "pollux record store" and the format's version (varint)
//     'r' table time arrival           a row of a table that is appended to
//     'r' table key                    a row of a table with a primary key
//     'i' table time key               its place in time; no value
//
//   in the family "marks": what is small, and written anew with each transaction
//     'e'                              the fence: an epoch (u64)
//     'n'                              the number of the next table (u64)
//     't' name                         a table: TableRecord
//     'c' table                        its Counters
//     'p' table source                 the progress of a source: RowId
//
// Marks are apart so that files of rows hold nothing else: those of rows whose times grow do not
// overlap then, and move down a level as they are, where each would be merged with all below it.
//
// Version 1 had all of it in one family. Opening such a store moves its marks.
//
// `table` is a u32 that no other table ever had, `arrival` counts up; these, `time` and `key` are
// ordered (storage/key_codec.h). Values are written as rocks/bytes.h says; rows as
// rocks/row_codec.h. Letters and the meaning of what stands under them are frozen for a version of
// the format.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/record_store.h"
#include "storage/table_definition.h"

namespace pollux::rocks {

inline constexpr uint64_t kFormatVersion = 2;
inline constexpr uint64_t kFormatVersionOneFamily = 1;

inline constexpr std::string_view kMarksFamily = "marks";

enum class Kind : char {
  kFormat = 'f',
  kFence = 'e',
  kNextTable = 'n',
  kTable = 't',
  kCounters = 'c',
  kProgress = 'p',
  kRow = 'r',
  kTimeIndex = 'i',
};

inline constexpr std::array kMarks = {Kind::kFence, Kind::kNextTable, Kind::kTable, Kind::kCounters,
                                      Kind::kProgress};

/// Does a key that is not empty belong into the family of marks?
constexpr bool is_mark(std::string_view key) {
  return std::find(kMarks.begin(), kMarks.end(), Kind{key.front()}) != kMarks.end();
}

struct Counters {
  uint64_t rows = 0;
  uint64_t next_arrival = 0;
};

struct TableRecord {
  uint32_t table = 0;
  TableDefinition definition;
};

/// The letter alone.
std::string key_of(Kind kind);
/// The letter and a table's number: also the beginning of all its keys of that kind.
std::string key_of(Kind kind, uint32_t table);
/// The first key behind all that begin with `prefix`.
std::string end_of(std::string prefix);
std::string table_key(std::string_view name);
std::string progress_key(uint32_t table, std::string_view source);
/// The beginning of all keys of that kind and time.
std::string time_key(Kind kind, uint32_t table, int64_t time_ms);

/// Bytes in front of the time in a key, and in front of the rest behind it.
inline constexpr size_t kTimeOffset = 5;
inline constexpr size_t kBehindTimeOffset = 13;

std::string encode_format();
/// The version; nothing when the bytes are not ours.
std::optional<uint64_t> decode_format(std::string_view bytes);

std::string encode_number(uint64_t number);
std::optional<uint64_t> decode_number(std::string_view bytes);

std::string encode(const TableRecord& record);
std::optional<TableRecord> decode_table(std::string_view bytes);

std::string encode(const Counters& counters);
std::optional<Counters> decode_counters(std::string_view bytes);

std::string encode(const RowId& id);
std::optional<RowId> decode_row_id(std::string_view bytes);

}  // namespace pollux::rocks
