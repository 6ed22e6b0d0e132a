#include "storage/rocks/table.h"

#include "storage/key_codec.h"

namespace pollux::rocks {

absl::StatusOr<std::string> encode_primary_key(const TableLayout& layout,
                                               std::span<const Value> values) {
  auto row = check_key(layout, values);
  if (!row.ok()) return row.status();
  std::string key = key_of(Kind::kRow, layout.table);
  for (size_t i = 0; i < values.size(); ++i) append_ordered(key, row->column(i), 0);
  return key;
}

absl::StatusOr<Counters> read_counters(const Database& database, const TableLayout& layout) {
  const std::string what = "the counters of table " + layout.definition.name;
  auto stored = database.get(key_of(Kind::kCounters, layout.table), "read " + what);
  if (!stored.ok()) return stored.status();
  std::optional<Counters> counters;
  if (stored->has_value()) counters = decode_counters(**stored);
  if (!counters) return database.damaged(what);
  return *counters;
}

}  // namespace pollux::rocks
