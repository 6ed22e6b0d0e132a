#include "storage/mysql/row_changes.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/key_codec.h"
#include "storage/mysql/names.h"

namespace pollux::mysql {
namespace {

/// Of a statement; the server keeps some hundred bytes for each as long as it is prepared.
constexpr size_t kParametersMax = 16'384;
static_assert(kParametersMax <= MysqlSession::kPlaceholdersMax);
/// Of those that name sources.
constexpr size_t kSourcesMax = 1'000;

/// By how many rows a table grew: below nothing where more were taken away.
using Growth = int64_t;
using Parameters = std::vector<MysqlParameter>;

MysqlParameter parameter_of(const Column& column, uint32_t row) {
  if (column.is_null(row)) return {};
  switch (column.type()) {
    case AttributeType::kString:
      return column.data<StringRef>()[row].view();
    case AttributeType::kInt:
      return column.data<int32_t>()[row];
    case AttributeType::kLong:
      return column.data<int64_t>()[row];
    case AttributeType::kFloat:
      return column.data<float>()[row];
    case AttributeType::kDouble:
      return column.data<double>()[row];
    case AttributeType::kBool:
      return column.data<uint8_t>()[row] != 0;
    case AttributeType::kObject:
      break;
  }
  return {};
}

/// "(?, ?), (?, ?)".
std::string placeholders(size_t rows, size_t columns) {
  const std::string row =
      absl::StrCat("(",
                   absl::StrJoin(std::vector<std::string_view>(columns, "?"), ", ",
                                 [](std::string* to, std::string_view mark) { *to += mark; }),
                   ")");
  std::string all;
  for (size_t i = 0; i < rows; ++i) absl::StrAppend(&all, i == 0 ? "" : ", ", row);
  return all;
}

size_t bytes_of(const MysqlParameter& parameter) {
  constexpr size_t kNumberBytes = 16;
  if (const auto* text = std::get_if<std::string_view>(&parameter)) return text->size() + 16;
  if (const auto* some = std::get_if<MysqlBytes>(&parameter)) return some->bytes.size() + 16;
  return kNumberBytes;
}

/// One statement for many rows of as many parameters each, several times: with a power of two of
/// rows, so that few statements have to be prepared. `sql_of(rows)` is its text.
absl::StatusOr<uint64_t> change_many(Conversation& talk, std::span<const MysqlParameter> all,
                                     size_t columns, size_t packet_bytes_max,
                                     absl::FunctionRef<std::string(size_t)> sql_of) {
  uint64_t changed = 0;
  while (!all.empty()) {
    const size_t rows_max = std::max<size_t>(kParametersMax / columns, 1);
    size_t bytes = 0;
    size_t fit = 0;
    for (; fit < rows_max && fit * columns < all.size(); ++fit) {
      auto row = all.subspan(fit * columns, columns);
      bytes = std::transform_reduce(row.begin(), row.end(), bytes, std::plus<>(), bytes_of);
      if (bytes > packet_bytes_max && fit != 0) break;
    }
    size_t rows = 1;
    while (rows * 2 <= fit) rows *= 2;
    auto done = talk.change(sql_of(rows), all.first(rows * columns));
    if (absl::IsAlreadyExists(done.status())) {
      // Of an index that somebody else made: ours is updated instead.
      return absl::InvalidArgumentError(done.status().message());
    }
    if (!done.ok()) return done;
    changed += *done;
    all = all.subspan(rows * columns);
  }
  return changed;
}

/// Of the columns of the definition, and the time.
void add_row(const sql::Relation& relation, const sql::RowPlace& place, Parameters& to) {
  for (size_t c = 0; c < relation.columns.size(); ++c) {
    to.push_back(parameter_of(place.batch->column(c), place.row));
  }
  to.emplace_back(relation.time_of(*place.batch, place.row));
}

absl::StatusOr<Growth> append(Conversation& talk, const sql::Relation& relation,
                              const std::vector<sql::RowPlace>& places, size_t packet_bytes_max) {
  Parameters values;
  for (const sql::RowPlace& place : places) add_row(relation, place, values);
  const size_t columns = relation.columns.size() + 1;
  const std::string insert =
      absl::StrCat("INSERT INTO ", relation.name, " (", absl::StrJoin(relation.columns, ", "),
                   ", pollux_time) VALUES ");
  auto added = change_many(talk, values, columns, packet_bytes_max,
                           [&](size_t rows) { return insert + placeholders(rows, columns); });
  if (!added.ok()) return added.status();
  return static_cast<Growth>(*added);
}

using KeyedRow = std::pair<std::string, sql::RowPlace>;

/// In the order of their keys: who locks rows in one order waits for others, and is no deadlock.
std::vector<KeyedRow> by_key(const sql::Relation& relation,
                             const std::vector<sql::RowPlace>& places) {
  std::vector<KeyedRow> rows;
  rows.reserve(places.size());
  for (const sql::RowPlace& place : places) rows.emplace_back(key_of(relation, place), place);
  std::sort(rows.begin(), rows.end(),
            [](const KeyedRow& a, const KeyedRow& b) { return a.first < b.first; });
  return rows;
}

/// A row that is there changes in any case, in pollux_writes at least, and counts two; so the
/// server says how many are new. Where an index of somebody else finds another row of ours, that
/// one is not touched: null does not fit pollux_writes.
absl::StatusOr<Growth> upsert(Conversation& talk, const sql::Relation& relation,
                              const std::vector<sql::RowPlace>& places, size_t packet_bytes_max) {
  const std::vector<KeyedRow> rows_by_key = by_key(relation, places);
  Parameters values;
  for (const auto& [key, place] : rows_by_key) {
    add_row(relation, place, values);
    values.emplace_back(MysqlBytes{key});
  }
  const size_t columns = relation.columns.size() + 2;
  const std::string insert =
      absl::StrCat("INSERT INTO ", relation.name, " (", absl::StrJoin(relation.columns, ", "),
                   ", pollux_time, pollux_key) VALUES ");
  std::string update =
      " ON DUPLICATE KEY UPDATE pollux_writes ="
      " IF(pollux_key = VALUES(pollux_key), pollux_writes + 1, NULL),"
      " pollux_time = VALUES(pollux_time)";
  for (const std::string& column : relation.columns) {
    absl::StrAppend(&update, ", ", column, " = VALUES(", column, ")");
  }
  auto changed = change_many(talk, values, columns, packet_bytes_max, [&](size_t rows) {
    return absl::StrCat(insert, placeholders(rows, columns), update);
  });
  if (!changed.ok()) return changed.status();
  return static_cast<Growth>(2 * places.size()) - static_cast<Growth>(*changed);
}

absl::StatusOr<Growth> erase(Conversation& talk, const sql::Relation& relation,
                             const std::vector<sql::RowPlace>& places, size_t packet_bytes_max) {
  const std::vector<KeyedRow> rows_by_key = by_key(relation, places);
  Parameters values;
  for (const auto& [key, place] : rows_by_key) values.emplace_back(MysqlBytes{key});
  auto gone = change_many(talk, values, 1, packet_bytes_max, [&](size_t rows) {
    return absl::StrCat("DELETE FROM ", relation.name, " WHERE pollux_key IN (",
                        placeholders(rows, 1), ")");
  });
  if (!gone.ok()) return gone.status();
  return -static_cast<Growth>(*gone);
}

absl::StatusOr<Growth> change_rows(Conversation& talk, const sql::Relation& relation,
                                   const sql::Transaction& transaction, size_t packet_bytes_max) {
  if (!relation.has_key()) return append(talk, relation, transaction.put, packet_bytes_max);
  auto gone = erase(talk, relation, transaction.gone, packet_bytes_max);
  if (!gone.ok()) return gone;
  auto come = upsert(talk, relation, transaction.put, packet_bytes_max);
  if (!come.ok()) return come;
  return *come + *gone;
}

std::string of_table(const std::string& store, const std::string& table) {
  return absl::StrCat(" WHERE store = ", literal(store), " AND name = ", literal(table));
}

/// kNotFound: it was dropped.
absl::Status count(Conversation& talk, const std::string& store, const std::string& table,
                   Growth growth) {
  bool there = false;
  if (growth != 0) {
    auto changed = talk.change(absl::StrCat("UPDATE pollux_tables SET row_count = row_count + (",
                                            growth, ")", of_table(store, table)));
    if (!changed.ok()) return changed.status();
    there = *changed == 1;
  } else {
    auto rows = talk.ask(
        absl::StrCat("SELECT 1 FROM pollux_tables", of_table(store, table), " LOCK IN SHARE MODE"));
    if (!rows.ok()) return rows.status();
    there = !rows->empty();
  }
  return there ? absl::OkStatus() : absl::NotFoundError(absl::StrCat("table ", table, " is gone"));
}

absl::Status somebody_else() {
  return absl::UnavailableError(
      "somebody else has written for one of the sources at the same time; write again");
}

/// Rows of a statement that stores how far sources have come.
absl::Status store_steps(Conversation& talk, const std::vector<std::string>& rows,
                         std::string_view behind) {
  for (size_t begin = 0; begin < rows.size(); begin += kSourcesMax) {
    auto some = std::span(rows).subspan(begin, std::min(kSourcesMax, rows.size() - begin));
    absl::Status done = talk.tell(absl::StrCat("INSERT INTO pollux_progress VALUES ",
                                               absl::StrJoin(some, ", "), std::string(behind)));
    if (absl::IsAlreadyExists(done)) return somebody_else();
    if (!done.ok()) return done;
  }
  return absl::OkStatus();
}

/// Whoever compares locks what he compares; a source that has no progress yet begins with an insert
/// that only one can make.
absl::Status move_progress(Conversation& talk, const std::string& store, const std::string& table,
                           const std::vector<sql::ProgressStep>& steps) {
  std::vector<std::string> known;
  for (const sql::ProgressStep& step : steps) {
    if (step.from) known.emplace_back(step.source);
  }
  auto now = read_progress(talk, store, table, known, " FOR UPDATE");
  if (!now.ok()) return now.status();
  std::vector<std::string> first;
  std::vector<std::string> next;
  for (const sql::ProgressStep& step : steps) {
    (step.from ? next : first)
        .push_back(absl::StrCat("(", literal(store), ", ", literal(table), ", ",
                                literal(step.source), ", ", step.to.entry.epoch.value, ", ",
                                step.to.entry.position.value, ", ", step.to.ordinal, ")"));
    if (!step.from) continue;
    auto found = now->find(step.source);
    if (found == now->end() || found->second != *step.from) return somebody_else();
  }
  absl::Status done = store_steps(talk, first, "");
  if (!done.ok()) return done;
  return store_steps(talk, next,
                     " ON DUPLICATE KEY UPDATE epoch = VALUES(epoch), position = VALUES(position),"
                     " ordinal = VALUES(ordinal)");
}

/// Of the epoch, with a lock that a raised fence waits for; and that the server still takes writes.
absl::Status check_fence(Conversation& talk, const std::string& store, Epoch epoch) {
  auto rows =
      talk.ask(absl::StrCat("SELECT epoch, @@global.read_only FROM pollux_stores WHERE"
                            " store = ",
                            literal(store), " LOCK IN SHARE MODE"));
  if (!rows.ok()) return rows.status();
  if (rows->empty() || rows->at(0).at(0) != absl::StrCat(epoch.value)) {
    return absl::AbortedError("the store's epoch is another one by now");
  }
  if (rows->at(0).at(1) == "0") return absl::OkStatus();
  return absl::UnavailableError("the server is read_only by now and takes no writes");
}

absl::Status change(Conversation& talk, const std::string& store, const sql::Relation& relation,
                    const sql::Transaction& transaction, size_t packet_bytes_max) {
  auto growth = change_rows(talk, relation, transaction, packet_bytes_max);
  if (!growth.ok()) return growth.status();
  absl::Status done;
  if (transaction.refused_table) {
    const sql::Relation& refused = *transaction.refused_table;
    auto kept = append(talk, refused, transaction.refused, packet_bytes_max);
    if (!kept.ok()) return kept.status();
    done = count(talk, store, refused.definition.name, *kept);
  }
  // Locks that others wait for come last.
  const std::string& table = relation.definition.name;
  if (done.ok()) done = move_progress(talk, store, table, transaction.steps);
  if (done.ok()) done = check_fence(talk, store, transaction.epoch);
  return done.ok() ? count(talk, store, table, *growth) : done;
}

/// Sorted, from rows of pollux_key or pollux_seq, which live as long.
absl::StatusOr<Parameters> places_of(const sql::Relation& relation, SqlRows& rows) {
  Parameters places;
  if (relation.has_key()) {
    std::sort(rows.begin(), rows.end());
    for (const auto& row : rows) places.emplace_back(MysqlBytes{*row.at(0)});
    return places;
  }
  std::vector<uint64_t> numbers;
  for (const auto& row : rows) {
    auto number = sql::number_of<uint64_t>(row.at(0));
    if (!number.ok()) return number.status();
    numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (uint64_t number : numbers) places.emplace_back(number);
  return places;
}

}  // namespace

std::string key_of(const sql::Relation& relation, const sql::RowPlace& row) {
  std::string key;
  for (size_t c : relation.key_columns) append_ordered(key, row.batch->column(c), row.row);
  return key;
}

absl::StatusOr<sql::Database::Progress> read_progress(Conversation& talk, const std::string& store,
                                                      const std::string& table,
                                                      const std::vector<std::string>& sources,
                                                      std::string_view lock) {
  sql::Database::Progress progress;
  for (size_t begin = 0; begin < sources.size(); begin += kSourcesMax) {
    auto some = std::span(sources).subspan(begin, std::min(kSourcesMax, sources.size() - begin));
    auto rows = talk.ask(absl::StrCat(
        "SELECT source, epoch, position, ordinal FROM pollux_progress", of_table(store, table),
        " AND source IN (",
        absl::StrJoin(some, ", ",
                      [](std::string* to, const std::string& name) { *to += literal(name); }),
        ")", std::string(lock)));
    if (!rows.ok()) return rows.status();
    for (const auto& row : *rows) {
      auto id = sql::row_id_of(row, 1);
      if (!id.ok()) return id.status();
      progress.emplace(row.at(0).value_or(""), *id);
    }
  }
  return progress;
}

absl::StatusOr<uint64_t> drop_old(Conversation& talk, const std::string& store,
                                  const sql::Relation& relation, int64_t horizon_ms,
                                  size_t packet_bytes_max) {
  const std::string place = relation.has_key() ? "pollux_key" : "pollux_seq";
  auto old = talk.ask(absl::StrCat("SELECT ", place, " FROM ", relation.name,
                                   " WHERE pollux_time < ", horizon_ms,
                                   " ORDER BY pollux_time LIMIT ", RecordStore::kExpireRowsMax));
  if (!old.ok()) return old.status();
  if (old->empty()) return 0;
  auto places = places_of(relation, *old);
  if (!places.ok()) return places.status();
  if (absl::Status begun = talk.tell("START TRANSACTION"); !begun.ok()) return begun;
  // A row that came anew meanwhile stays. The time in a sum, so that no index is taken for it.
  auto gone = change_many(talk, *places, 1, packet_bytes_max, [&](size_t rows) {
    return absl::StrCat("DELETE FROM ", relation.name, " WHERE ", place, " IN (",
                        placeholders(rows, 1), ") AND pollux_time + 0 < ", horizon_ms);
  });
  if (!gone.ok()) return gone;
  absl::Status done = count(talk, store, relation.definition.name, -static_cast<Growth>(*gone));
  if (done.ok()) done = talk.tell("COMMIT");
  if (done.ok()) return gone;
  talk.give_up();
  return done;
}

absl::Status commit(Conversation& talk, const std::string& store, const sql::Relation& relation,
                    const sql::Transaction& transaction, size_t packet_bytes_max) {
  if (absl::Status begun = talk.tell("START TRANSACTION"); !begun.ok()) return begun;
  absl::Status done = change(talk, store, relation, transaction, packet_bytes_max);
  if (!done.ok()) {
    talk.give_up();
    return done;
  }
  if (done = talk.tell("COMMIT"); done.ok()) return done;
  // Whatever it says, and however it ended: only the progress tells.
  return absl::UnavailableError(
      absl::StrCat("the outcome of a commit is not known, write again: ", done.message()));
}

}  // namespace pollux::mysql
