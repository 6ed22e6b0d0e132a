#include "storage/sql/row_writer.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "storage/key_codec.h"
#include "storage/refused_rows.h"

namespace pollux::sql {
namespace {

/// The same would fail again, at least until somebody changes the database.
bool is_lasting(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
         absl::IsNotFound(status) || absl::IsPermissionDenied(status);
}

}  // namespace

absl::StatusOr<Written> RowWriter::write() {
  if (absl::Status read = read_progress(); !read.ok()) return read;
  const std::vector<Row> rows = new_rows();
  for (size_t begin = 0; begin < rows.size();) {
    size_t bytes = 0;
    size_t end = begin;
    while (end < rows.size() && end - begin < kTransactionRowsMax && bytes < kTransactionBytesMax) {
      const EventBatch& batch = *order_.rows[rows[end].rows_index].batch;
      bytes += batch.bytes_held() / std::max<uint32_t>(batch.rows(), 1);
      ++end;
    }
    absl::Status done = write_range(Range(rows).subspan(begin, end - begin));
    if (!done.ok()) return done;
    begin = end;
  }
  std::sort(written_.refused.begin(), written_.refused.end(),
            [](const RefusedRow& a, const RefusedRow& b) {
              return std::pair(a.rows_index, a.row) < std::pair(b.rows_index, b.row);
            });
  return std::move(written_);
}

absl::Status RowWriter::read_progress() {
  std::vector<std::string> sources;
  for (const Rows& rows : order_.rows) {
    if (reached_.try_emplace(rows.source).second) sources.emplace_back(rows.source);
  }
  auto found = database_.progress(relation_.definition.name, sources);
  if (!found.ok()) return found.status();
  for (auto& [source, reached] : reached_) {
    auto known = found->find(source);
    if (known != found->end()) reached = known->second;
  }
  return absl::OkStatus();
}

std::vector<RowWriter::Row> RowWriter::new_rows() {
  std::vector<Row> fresh;
  for (size_t i = 0; i < order_.rows.size(); ++i) {
    const Rows& rows = order_.rows[i];
    const std::optional<RowId>& reached = reached_.find(rows.source)->second;
    for (uint32_t row = 0; row < rows.batch->rows(); ++row) {
      const RowId id{rows.entry, rows.ordinals[row]};
      if (reached && id <= *reached) {
        ++written_.repeated;
        continue;
      }
      const bool erased = rows.erases(row);
      fresh.push_back({i, row, id, erased, erased ? "" : refusal_of({rows.batch, row})});
    }
  }
  return fresh;
}

std::string RowWriter::refusal_of(const RowPlace& place) const {
  size_t bytes = 0;
  for (size_t c = 0; c < place.batch->schema().size(); ++c) {
    bytes += text_bytes(*place.batch, place.row, {&c, 1});
  }
  if (bytes > kRowBytesMax) {
    return absl::StrCat("the row has ", bytes, " bytes of text, at most ", kRowBytesMax,
                        " can be stored");
  }
  return database_.refusal_of(relation_, place);
}

RowPlace RowWriter::place_of(const Row& row) const {
  return {order_.rows[row.rows_index].batch, row.row};
}

absl::Status RowWriter::write_range(Range range) {
  absl::Status done = commit(range, Refused::kKept);
  if (!is_lasting(done)) return done;
  if (absl::IsInvalidArgument(done) && range.size() > 1) {
    const size_t half = range.size() / 2;
    done = write_range(range.first(half));
    return done.ok() ? write_range(range.subspan(half)) : done;
  }
  if (absl::IsInvalidArgument(done) && range.front().refused.empty()) {
    Row refused = range.front();
    refused.refused = std::string(done.message());
    return write_range({&refused, 1});
  }
  const bool any_refused =
      std::ranges::any_of(range, [](const Row& row) { return !row.refused.empty(); });
  return any_refused ? commit(range, Refused::kToldOnly) : done;
}

absl::Status RowWriter::commit(Range range, Refused refused) {
  Transaction transaction;
  transaction.epoch = order_.epoch;
  transaction.steps = steps_of(range);
  add_rows(range, transaction);
  const EventBatch kept = refused_rows(range);
  if (kept.rows() != 0 && refused == Refused::kKept) {
    auto table = order_.refused_rows_table();
    if (!table.ok()) return table.status();
    transaction.refused_table = *table;
    for (uint32_t row = 0; row < kept.rows(); ++row) transaction.refused.push_back({&kept, row});
  }
  if (absl::Status done = database_.commit(relation_, transaction); !done.ok()) return done;
  for (const ProgressStep& step : transaction.steps) reached_[step.source] = step.to;
  written_.rows += range.size() - kept.rows();
  for (const Row& row : range) {
    if (row.refused.empty()) continue;
    const char* note =
        refused == Refused::kKept ? "" : "; nor does the table of refused rows take it";
    written_.refused.push_back({row.rows_index, row.row, row.refused + note});
  }
  return absl::OkStatus();
}

void RowWriter::add_rows(Range range, Transaction& to) const {
  for (const Row* row : lasting_rows(range)) {
    const RowPlace place = place_of(*row);
    if (!row->erased) {
      to.put.push_back(place);
    } else if (database_.can_have_key(relation_, place)) {
      to.gone.push_back(place);
    }
  }
}

std::vector<const RowWriter::Row*> RowWriter::lasting_rows(Range range) const {
  std::vector<const Row*> rows;
  std::unordered_map<std::string, size_t> place_of_key;
  std::string key;
  for (const Row& row : range) {
    if (!row.refused.empty()) continue;
    rows.push_back(&row);
    if (!relation_.has_key()) continue;
    key.clear();
    const RowPlace place = place_of(row);
    for (size_t c : relation_.key_columns) append_ordered(key, place.batch->column(c), row.row);
    auto [known, is_new] = place_of_key.try_emplace(key, rows.size() - 1);
    if (is_new) continue;
    rows[known->second] = &row;
    rows.pop_back();
  }
  return rows;
}

std::vector<ProgressStep> RowWriter::steps_of(Range range) const {
  std::map<std::string_view, RowId> next;
  for (const Row& row : range) next[order_.rows[row.rows_index].source] = row.id;
  std::vector<ProgressStep> steps;
  for (const auto& [source, to] : next) {
    steps.push_back({source, to, reached_.find(source)->second});
  }
  return steps;
}

EventBatch RowWriter::refused_rows(Range range) const {
  static const SchemaPtr kSchema = refused_rows_definition().schema;
  EventBatch kept(kSchema);
  for (const Row& row : range) {
    if (row.refused.empty()) continue;
    append_refused_row(kept, relation_, order_.rows[row.rows_index], row.row, row.refused);
  }
  return kept;
}

}  // namespace pollux::sql
