#include "storage/rocks/table_writer.h"

#include <algorithm>
#include <vector>

#include "storage/key_codec.h"
#include "storage/refused_rows.h"
#include "storage/rocks/row_codec.h"

namespace pollux::rocks {
namespace {

constexpr size_t kKeyBytesMax = 64 * 1024;
/// A key with fewer bytes of text is not too long: each byte may become two, and each column of a
/// thousand has up to nine more.
constexpr size_t kKeyTextBytesSafe = 16 * 1024;

/// Empty: the row can be stored.
std::string refusal_of(const TableLayout& layout, const EventBatch& batch, uint32_t row) {
  const size_t bytes = row_bytes(batch, row);
  if (bytes > kRowBytesMax) {
    return "the row has " + std::to_string(bytes) + " bytes, at most " +
           std::to_string(kRowBytesMax) + " can be stored";
  }
  if (text_bytes(batch, row, layout.key_columns) <= kKeyTextBytesSafe) return "";
  const size_t key_bytes = key_of_row(layout, batch, row).size();
  if (key_bytes <= kKeyBytesMax) return "";
  return "the primary key has " + std::to_string(key_bytes) + " bytes, at most " +
         std::to_string(kKeyBytesMax) + " can be stored";
}

/// No row of the batch is refused. False where only a look at each row can tell.
bool all_fit(const TableLayout& layout, const EventBatch& batch) {
  constexpr size_t kBytesBesideTexts = 64 * 1024;  // of a row of so many columns as there may be
  size_t texts = 0;
  size_t key_texts = 0;
  for (size_t c = 0; c < batch.schema().size(); ++c) {
    if (batch.column(c).type() != AttributeType::kString) continue;
    const StringRef* values = batch.column(c).data<StringRef>();
    size_t longest = 0;
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      longest = std::max<size_t>(longest, values[row].size());
    }
    texts += longest;
    const auto& key = layout.key_columns;
    if (std::find(key.begin(), key.end(), c) != key.end()) key_texts += longest;
  }
  return texts <= kRowBytesMax - kBytesBesideTexts && key_texts <= kKeyTextBytesSafe;
}

}  // namespace

Refusals refusals_of(const TableLayout& layout, std::span<const Rows> rows) {
  Refusals refusals;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (all_fit(layout, *rows[i].batch)) continue;
    for (uint32_t row = 0; row < rows[i].batch->rows(); ++row) {
      if (rows[i].erases(row)) continue;
      std::string refusal = refusal_of(layout, *rows[i].batch, row);
      if (!refusal.empty()) refusals.emplace(std::pair(i, row), std::move(refusal));
    }
  }
  return refusals;
}

absl::StatusOr<std::unique_ptr<WrittenTable>> WrittenTable::begin(Database& database,
                                                                  std::shared_ptr<Table> table) {
  std::unique_lock lock(table->mutex);
  if (table->dropped) return absl::NotFoundError("the table was dropped");
  auto counters = read_counters(database, *table->layout);
  if (!counters.ok()) return counters.status();
  const int64_t oldest_ms = table->oldest_ms;
  TableLayoutPtr layout = table->layout;
  return std::unique_ptr<WrittenTable>(
      new WrittenTable{std::move(table), std::move(lock), std::move(layout), *counters, oldest_ms});
}

TableWriter::TableWriter(Database& database, WrittenTable& table, const Refusals& refusals,
                         WrittenTable* refused)
    : database_(database),
      table_(table),
      refusals_(refusals),
      refused_(refused),
      transaction_(database.begin()) {}

TableWriter::~TableWriter() = default;

absl::Status TableWriter::add(const Rows& rows, size_t rows_index) {
  auto source = source_of(rows.source);
  if (!source.ok()) return source.status();
  std::optional<RowId>& reached = (*source)->reached;
  for (uint32_t row = 0; row < rows.batch->rows(); ++row) {
    const RowId id{rows.entry, rows.ordinals[row]};
    if (reached && id <= *reached) {
      ++written_.repeated;
      continue;
    }
    auto refusal = refusals_.find({rows_index, row});
    if (refusal != refusals_.end()) {
      refuse(rows, {rows_index, row, refusal->second});
    } else {
      change(rows, row);
      ++written_.rows;
    }
    reached = id;
    (*source)->moved = true;
    if (transaction_.bytes() + changes_.bytes() >= kTransactionBytesMax) {
      if (absl::Status status = commit(); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TableWriter::Source*> TableWriter::source_of(std::string_view name) {
  auto known = sources_.find(name);
  if (known != sources_.end()) return &known->second;
  auto stored = database_.get(progress_key(table_.layout->table, name), doing("read progress in"));
  if (!stored.ok()) return stored.status();
  Source source;
  if (stored->has_value()) {
    source.reached = decode_row_id(**stored);
    if (!source.reached) return database_.damaged("the progress of " + std::string(name));
  }
  return &sources_.emplace(name, source).first->second;
}

void TableWriter::change(const Rows& rows, uint32_t row) {
  const EventBatch& batch = *rows.batch;
  if (table_.layout->has_key()) {
    std::string key = key_of_row(*table_.layout, batch, row);
    if (rows.erases(row)) {
      changes_.erase(std::move(key));
    } else {
      changes_.put(std::move(key), batch, row);
    }
    return;
  }
  const int64_t time_ms = table_.layout->time_of(batch, row);
  value_.clear();
  append_row_bytes(value_, batch, row, time_ms);
  append(table_, time_ms);
}

void TableWriter::append(WrittenTable& to, int64_t time_ms) {
  key_ = time_key(Kind::kRow, to.layout->table, time_ms);
  append_ordered(key_, to.counters.next_arrival++);
  transaction_.put(key_, value_);
  ++to.counters.rows;
  to.oldest_ms = std::min(to.oldest_ms, time_ms);
}

void TableWriter::refuse(const Rows& rows, RefusedRow row) {
  if (refused_ != nullptr) {
    EventBatch kept(refused_->layout->definition.schema);
    append_refused_row(kept, *table_.layout, rows, row.row, row.reason);
    value_.clear();
    append_row_bytes(value_, kept, 0, kept.timestamps()[0]);
    append(*refused_, kept.timestamps()[0]);
  } else {
    row.reason += "; nor is it in the table of refused rows, which was dropped at the same time";
  }
  written_.refused.push_back(std::move(row));
}

absl::Status TableWriter::commit() {
  bool moved = false;
  for (auto& [name, source] : sources_) {
    if (!source.moved) continue;
    transaction_.put(progress_key(table_.layout->table, name), encode(*source.reached));
    moved = true;
  }
  if (!moved) return absl::OkStatus();
  KeyChanges::Effect effect;
  absl::Status applied = changes_.apply(database_, *table_.layout, transaction_, effect);
  if (!applied.ok()) return applied;
  table_.counters.rows += static_cast<uint64_t>(effect.rows);
  table_.oldest_ms = std::min(table_.oldest_ms, effect.oldest_ms);
  std::vector<WrittenTable*> changed{&table_};
  if (refused_ != nullptr) changed.push_back(refused_);
  for (const WrittenTable* table : changed) {
    transaction_.put(key_of(Kind::kCounters, table->layout->table), encode(table->counters));
  }
  absl::Status written =
      database_.commit(transaction_, Database::Sync::kAsConfigured, doing("write"));
  // A commit that failed may yet have written.
  for (const WrittenTable* table : changed) table->table->oldest_ms = table->oldest_ms;
  if (!written.ok()) return written;
  for (auto& [name, source] : sources_) source.moved = false;
  transaction_.clear();
  return absl::OkStatus();
}

std::string TableWriter::doing(std::string_view verb) const {
  return std::string(verb) + " table " + table_.layout->definition.name;
}

}  // namespace pollux::rocks
