#include "storage/postgres/row_writer.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/key_codec.h"
#include "storage/postgres/copy_rows.h"
#include "storage/postgres/names.h"
#include "storage/postgres/sql_values.h"

namespace pollux::postgres {
namespace {

constexpr char kReadProgress[] =
    "SELECT source, epoch, position, ordinal FROM pollux_progress"
    " WHERE store = $1 AND name = $2 AND source = ANY ($3::text[])";

// Everything that must hold for the rows before it to count, by one statement: the epoch, with a
// lock that a raised fence waits for, and that each source stands where it was read.
constexpr char kMoveProgress[] =
    "WITH fence AS (SELECT 1 FROM pollux_stores WHERE store = $1 AND epoch = $2 FOR SHARE),"
    " counted AS (UPDATE pollux_tables SET row_count = row_count + $4"
    "  WHERE store = $1 AND name = $3 RETURNING 1),"
    " step AS (SELECT * FROM unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[],"
    "  $9::bigint[], $10::bigint[], $11::bigint[])"
    "  AS s(source, epoch, position, ordinal, old_epoch, old_position, old_ordinal)),"
    " moved AS (UPDATE pollux_progress p"
    "  SET epoch = s.epoch, position = s.position, ordinal = s.ordinal FROM step s"
    "  WHERE p.store = $1 AND p.name = $3 AND p.source = s.source AND p.epoch = s.old_epoch"
    "  AND p.position = s.old_position AND p.ordinal = s.old_ordinal RETURNING 1),"
    " begun AS (INSERT INTO pollux_progress"
    "  SELECT $1, $3, s.source, s.epoch, s.position, s.ordinal FROM step s"
    "  WHERE s.old_epoch IS NULL ON CONFLICT DO NOTHING RETURNING 1)"
    " SELECT (SELECT count(*) FROM fence), (SELECT count(*) FROM counted),"
    " (SELECT count(*) FROM moved) + (SELECT count(*) FROM begun)";

/// The parameters of a progress: for each source one element in each array.
struct Steps {
  using Texts = std::vector<std::optional<std::string>>;
  Texts source, epoch, position, ordinal, old_epoch, old_position, old_ordinal;

  void add(std::string_view name, const RowId& to, const std::optional<RowId>& from) {
    source.emplace_back(std::string(name));
    epoch.emplace_back(absl::StrCat(to.entry.epoch.value));
    position.emplace_back(absl::StrCat(to.entry.position.value));
    ordinal.emplace_back(absl::StrCat(to.ordinal));
    old_epoch.push_back(from ? std::optional(absl::StrCat(from->entry.epoch.value)) : std::nullopt);
    old_position.push_back(from ? std::optional(absl::StrCat(from->entry.position.value))
                                : std::nullopt);
    old_ordinal.push_back(from ? std::optional(absl::StrCat(from->ordinal)) : std::nullopt);
  }
};

size_t text_bytes(const EventBatch& batch, uint32_t row, const std::vector<size_t>& columns) {
  size_t bytes = 0;
  for (size_t c : columns) {
    const Column& column = batch.column(c);
    if (column.type() != AttributeType::kString || column.is_null(row)) continue;
    bytes += column.data<StringRef>()[row].size();
  }
  return bytes;
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
  std::vector<std::optional<std::string>> sources;
  for (const Rows& rows : order_.rows) {
    if (reached_.try_emplace(rows.source).second) sources.emplace_back(std::string(rows.source));
  }
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  nulls_in_keys_ = talk->server_version() >= 150000;
  auto found = talk->ask(kReadProgress,
                         {std::string(order_.store), relation_.definition.name, array_of(sources)});
  if (!found.ok()) return found.status();
  for (const auto& row : *found) {
    auto source = reached_.find(row.at(0).value_or(""));
    if (source == reached_.end()) continue;
    auto id = row_id_of(row, 1);
    if (!id.ok()) return id.status();
    source->second = *id;
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
      } else {
        const bool erased = rows.erases(row);
        fresh.push_back({i, row, id, erased, erased ? "" : refusal_of(*rows.batch, row)});
      }
    }
  }
  return fresh;
}

std::string RowWriter::refusal_of(const EventBatch& batch, uint32_t row) const {
  size_t bytes = 0;
  for (size_t c = 0; c < batch.schema().size(); ++c) {
    const Column& column = batch.column(c);
    if (column.type() != AttributeType::kString || column.is_null(row)) continue;
    std::string_view text = column.data<StringRef>()[row].view();
    bytes += text.size();
    if (!is_storable_text(text)) {
      return absl::StrCat("column '", batch.schema()[c].name,
                          "' holds a text that is no UTF-8 or has a zero byte in it");
    }
  }
  if (bytes > kRowBytesMax) {
    return absl::StrCat("the row has ", bytes, " bytes of text, at most ", kRowBytesMax,
                        " can be stored");
  }
  const size_t key_bytes = text_bytes(batch, row, relation_.key_columns);
  if (key_bytes > kKeyBytesMax) {
    return absl::StrCat("the primary key has ", key_bytes, " bytes, at most ", kKeyBytesMax,
                        " can be stored");
  }
  if (nulls_in_keys_) return "";
  for (size_t c : relation_.key_columns) {
    if (batch.column(c).is_null(row)) {
      return absl::StrCat("column '", batch.schema()[c].name,
                          "' of the primary key is null, which needs PostgreSQL 15");
    }
  }
  return "";
}

bool RowWriter::can_be_there(const EventBatch& batch, uint32_t row) const {
  for (size_t c : relation_.key_columns) {
    const Column& column = batch.column(c);
    if (column.type() != AttributeType::kString || column.is_null(row)) continue;
    if (!is_storable_text(column.data<StringRef>()[row].view())) return false;
  }
  return text_bytes(batch, row, relation_.key_columns) <= kKeyBytesMax;
}

absl::Status RowWriter::write_range(Range range) {
  absl::Status done = commit(range);
  if (!absl::IsInvalidArgument(done)) return done;
  if (range.size() > 1) {
    const size_t half = range.size() / 2;
    done = write_range(range.first(half));
    return done.ok() ? write_range(range.subspan(half)) : done;
  }
  Row refused = range.front();
  refused.refused = std::string(done.message());
  return commit({&refused, 1});
}

/// Rows and progress of a range, or nothing of it.
absl::Status RowWriter::commit(Range range) {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  if (absl::Status begun = talk->tell("BEGIN"); !begun.ok()) return begun;
  std::vector<RefusedRow> refused;
  Progress next;
  for (const Row& row : range) {
    next[order_.rows[row.rows_index].source] = row.id;
    if (!row.refused.empty()) refused.push_back({row.rows_index, row.row, row.refused});
  }
  auto growth = put_rows(*talk, range);
  if (!growth.ok()) return growth.status();
  absl::Status done = move_progress(*talk, next, *growth);
  if (!done.ok()) {
    talk->give_up();
    return done;
  }
  if (done = talk->tell("COMMIT"); !done.ok()) {
    // Whatever it says, and however it ended: only the progress tells.
    return absl::UnavailableError(
        absl::StrCat("the outcome of a commit is not known, write again: ", done.message()));
  }
  for (const auto& [source, id] : next) reached_[source] = id;
  written_.rows += range.size() - refused.size();
  for (RefusedRow& row : refused) written_.refused.push_back(std::move(row));
  return absl::OkStatus();
}

std::vector<const RowWriter::Row*> RowWriter::lasting_rows(Range range) const {
  std::vector<const Row*> rows;
  std::unordered_map<std::string, size_t> place_of_key;
  std::string key;
  for (const Row& row : range) {
    if (!row.refused.empty()) continue;
    const EventBatch& batch = *order_.rows[row.rows_index].batch;
    key.clear();
    for (size_t c : relation_.key_columns) append_ordered(key, batch.column(c), row.row);
    auto [place, is_new] = place_of_key.try_emplace(key, rows.size());
    if (is_new || !relation_.has_key()) {
      rows.push_back(&row);
    } else {
      rows[place->second] = &row;
    }
  }
  return rows;
}

absl::StatusOr<RowWriter::Growth> RowWriter::put_rows(Conversation& talk, Range range) {
  std::vector<const Row*> rows = lasting_rows(range);
  if (!relation_.has_key()) return append(talk, rows);
  // First those that go: what a constraint of somebody else's allows once only may move.
  auto put = std::stable_partition(rows.begin(), rows.end(), [](auto* row) { return row->erased; });
  auto gone = erase(talk, {rows.begin(), put});
  if (!gone.ok()) return gone;
  auto come = upsert(talk, {put, rows.end()});
  if (!come.ok()) return come;
  return *come + *gone;
}

absl::StatusOr<RowWriter::Growth> RowWriter::append(Conversation& talk,
                                                    const std::vector<const Row*>& all) {
  if (all.empty()) return 0;
  CopyRows rows;
  for (const Row* row : all) {
    const EventBatch& batch = *order_.rows[row->rows_index].batch;
    rows.add(batch, row->row, relation_.time_of(batch, row->row));
  }
  auto taken = talk.copy_in(absl::StrCat("COPY ", relation_.name, " (", relation_.columns,
                                         ") FROM STDIN (FORMAT binary)"),
                            rows.finish());
  if (!taken.ok()) return taken.status();
  return static_cast<Growth>(*taken);
}

/// Into a table of the transaction's own first, since COPY knows no conflicts.
absl::StatusOr<RowWriter::Growth> RowWriter::upsert(Conversation& talk,
                                                    const std::vector<const Row*>& all) {
  if (all.empty()) return 0;
  CopyRows rows;
  for (const Row* row : all) {
    const EventBatch& batch = *order_.rows[row->rows_index].batch;
    rows.add(batch, row->row, relation_.time_of(batch, row->row));
  }
  absl::Status done =
      talk.tell(absl::StrCat("CREATE TEMP TABLE pollux_stage ON COMMIT DROP AS SELECT ",
                             relation_.columns, " FROM ", relation_.name, " WITH NO DATA"));
  if (!done.ok()) return done;
  auto taken = talk.copy_in("COPY pollux_stage FROM STDIN (FORMAT binary)", rows.finish());
  if (!taken.ok()) return taken.status();
  std::vector<std::string> changes;
  for (const Attribute& column : relation_.definition.schema->attributes()) {
    const std::string name = quoted(stored_name(column.name));
    changes.push_back(absl::StrCat(name, " = excluded.", name));
  }
  changes.emplace_back("pollux_time = excluded.pollux_time");
  auto put = talk.ask(absl::StrCat(
      "WITH put AS (INSERT INTO ", relation_.name, " (", relation_.columns, ") SELECT ",
      relation_.columns, " FROM pollux_stage ON CONFLICT (", relation_.key, ") DO UPDATE SET ",
      absl::StrJoin(changes, ", "),
      " RETURNING xmax = 0 AS is_new) SELECT count(*) FILTER (WHERE is_new) FROM put"));
  if (!put.ok()) return put.status();
  return number_of<Growth>(put->at(0).at(0));
}

/// Which columns of the key are null makes a statement of its own each, since no index finds what
/// is `IS NOT DISTINCT FROM`.
absl::StatusOr<RowWriter::Growth> RowWriter::erase(Conversation& talk,
                                                   const std::vector<const Row*>& all) {
  CopyRows keys;
  std::set<std::string> conditions;
  for (const Row* row : all) {
    const EventBatch& batch = *order_.rows[row->rows_index].batch;
    if (!can_be_there(batch, row->row)) continue;
    keys.add_key(batch, row->row, relation_.key_columns);
    std::vector<std::string> same;
    for (size_t c : relation_.key_columns) {
      const std::string name = quoted(stored_name(batch.schema()[c].name));
      same.push_back(batch.column(c).is_null(row->row)
                         ? absl::StrCat("t.", name, " IS NULL AND g.", name, " IS NULL")
                         : absl::StrCat("t.", name, " = g.", name));
    }
    conditions.insert(absl::StrJoin(same, " AND "));
  }
  if (conditions.empty()) return 0;
  absl::Status done =
      talk.tell(absl::StrCat("CREATE TEMP TABLE pollux_gone ON COMMIT DROP AS SELECT ",
                             relation_.key, " FROM ", relation_.name, " WITH NO DATA"));
  if (!done.ok()) return done;
  auto taken = talk.copy_in("COPY pollux_gone FROM STDIN (FORMAT binary)", keys.finish());
  if (!taken.ok()) return taken.status();
  Growth growth = 0;
  for (const std::string& condition : conditions) {
    auto gone = talk.ask(absl::StrCat("WITH gone AS (DELETE FROM ", relation_.name,
                                      " AS t USING pollux_gone AS g WHERE ", condition,
                                      " RETURNING 1) SELECT count(*) FROM gone"));
    if (!gone.ok()) return gone.status();
    auto count = number_of<Growth>(gone->at(0).at(0));
    if (!count.ok()) return count;
    growth -= *count;
  }
  return growth;
}

absl::Status RowWriter::move_progress(Conversation& talk, const Progress& next, Growth growth) {
  Steps steps;
  for (const auto& [source, to] : next) steps.add(source, *to, reached_.find(source)->second);
  auto found = talk.ask(
      kMoveProgress,
      {std::string(order_.store), absl::StrCat(order_.epoch.value), relation_.definition.name,
       absl::StrCat(growth), array_of(steps.source), array_of(steps.epoch),
       array_of(steps.position), array_of(steps.ordinal), array_of(steps.old_epoch),
       array_of(steps.old_position), array_of(steps.old_ordinal)});
  if (!found.ok()) return found.status();
  const auto& counts = found->at(0);
  if (counts.at(0) != "1") {
    return absl::FailedPreconditionError("the store's epoch is another one by now");
  }
  if (counts.at(1) != "1") {
    return absl::NotFoundError(absl::StrCat("table ", relation_.definition.name, " is gone"));
  }
  if (counts.at(2) != absl::StrCat(next.size())) {
    return absl::UnavailableError(
        "somebody else has written for one of the sources at the same time; write again");
  }
  return absl::OkStatus();
}

}  // namespace pollux::postgres
