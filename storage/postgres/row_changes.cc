#include "storage/postgres/row_changes.h"

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/postgres/copy_rows.h"
#include "storage/postgres/names.h"
#include "storage/postgres/relation_sql.h"

namespace pollux::postgres {
namespace {

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

  explicit Steps(const std::vector<sql::ProgressStep>& steps) {
    for (const sql::ProgressStep& step : steps) {
      source.emplace_back(std::string(step.source));
      epoch.emplace_back(absl::StrCat(step.to.entry.epoch.value));
      position.emplace_back(absl::StrCat(step.to.entry.position.value));
      ordinal.emplace_back(absl::StrCat(step.to.ordinal));
      auto add_old = [&](Texts& to, auto number) {
        to.push_back(step.from ? std::optional(absl::StrCat(number)) : std::nullopt);
      };
      const RowId from = step.from.value_or(RowId{});
      add_old(old_epoch, from.entry.epoch.value);
      add_old(old_position, from.entry.position.value);
      add_old(old_ordinal, from.ordinal);
    }
  }
};

/// By how many rows a table grew: below nothing where more were taken away.
using Growth = int64_t;

absl::StatusOr<Growth> count_of(Conversation& talk, const std::string& sql) {
  auto rows = talk.ask(sql);
  if (!rows.ok()) return rows.status();
  return sql::number_of<Growth>(rows->at(0).at(0));
}

absl::StatusOr<Growth> append(Conversation& talk, const sql::Relation& relation,
                              const std::vector<sql::RowPlace>& places) {
  if (places.empty()) return 0;
  CopyRows rows;
  for (const auto& [batch, row] : places) rows.add(*batch, row, relation.time_of(*batch, row));
  auto taken = talk.copy_in(absl::StrCat("COPY ", relation.name, " (", columns_of(relation),
                                         ") FROM STDIN (FORMAT binary)"),
                            rows.finish());
  if (!taken.ok()) return taken.status();
  return static_cast<Growth>(*taken);
}

/// Into a table of the transaction's own first, since COPY knows no conflicts.
absl::StatusOr<Growth> upsert(Conversation& talk, const sql::Relation& relation,
                              const std::vector<sql::RowPlace>& places) {
  if (places.empty()) return 0;
  const std::string columns = columns_of(relation);
  CopyRows rows;
  for (const auto& [batch, row] : places) rows.add(*batch, row, relation.time_of(*batch, row));
  absl::Status done =
      talk.tell(absl::StrCat("CREATE TEMP TABLE pollux_stage ON COMMIT DROP AS SELECT ", columns,
                             " FROM ", relation.name, " WITH NO DATA"));
  if (!done.ok()) return done;
  auto taken = talk.copy_in("COPY pollux_stage FROM STDIN (FORMAT binary)", rows.finish());
  if (!taken.ok()) return taken.status();
  std::vector<std::string> changes;
  for (const std::string& column : relation.columns) {
    changes.push_back(absl::StrCat(column, " = excluded.", column));
  }
  changes.emplace_back("pollux_time = excluded.pollux_time");
  return count_of(
      talk, absl::StrCat(
                "WITH put AS (INSERT INTO ", relation.name, " (", columns, ") SELECT ", columns,
                " FROM pollux_stage ON CONFLICT (", key_of(relation), ") DO UPDATE SET ",
                absl::StrJoin(changes, ", "),
                " RETURNING xmax = 0 AS is_new) SELECT count(*) FILTER (WHERE is_new) FROM put"));
}

/// Which columns of the key are null makes a statement of its own each, since no index finds what
/// is `IS NOT DISTINCT FROM`.
absl::StatusOr<Growth> erase(Conversation& talk, const sql::Relation& relation,
                             const std::vector<sql::RowPlace>& places) {
  if (places.empty()) return 0;
  CopyRows keys;
  std::set<std::string> conditions;
  for (const auto& [batch, row] : places) {
    keys.add_key(*batch, row, relation.key_columns);
    std::vector<std::string> same;
    for (size_t c : relation.key_columns) {
      const std::string& name = relation.columns[c];
      same.push_back(batch->column(c).is_null(row)
                         ? absl::StrCat("t.", name, " IS NULL AND g.", name, " IS NULL")
                         : absl::StrCat("t.", name, " = g.", name));
    }
    conditions.insert(absl::StrJoin(same, " AND "));
  }
  absl::Status done =
      talk.tell(absl::StrCat("CREATE TEMP TABLE pollux_gone ON COMMIT DROP AS SELECT ",
                             key_of(relation), " FROM ", relation.name, " WITH NO DATA"));
  if (!done.ok()) return done;
  auto taken = talk.copy_in("COPY pollux_gone FROM STDIN (FORMAT binary)", keys.finish());
  if (!taken.ok()) return taken.status();
  Growth growth = 0;
  for (const std::string& condition : conditions) {
    auto gone = count_of(talk, absl::StrCat("WITH gone AS (DELETE FROM ", relation.name,
                                            " AS t USING pollux_gone AS g WHERE ", condition,
                                            " RETURNING 1) SELECT count(*) FROM gone"));
    if (!gone.ok()) return gone;
    growth -= *gone;
  }
  return growth;
}

absl::StatusOr<Growth> change_rows(Conversation& talk, const sql::Relation& relation,
                                   const sql::Transaction& transaction) {
  if (!relation.has_key()) return append(talk, relation, transaction.put);
  auto gone = erase(talk, relation, transaction.gone);
  if (!gone.ok()) return gone;
  auto come = upsert(talk, relation, transaction.put);
  if (!come.ok()) return come;
  return *come + *gone;
}

absl::Status keep_refused(Conversation& talk, const std::string& store,
                          const sql::Transaction& transaction) {
  if (!transaction.refused_table) return absl::OkStatus();
  auto kept = append(talk, *transaction.refused_table, transaction.refused);
  if (!kept.ok()) return kept.status();
  return talk.tell(
      "UPDATE pollux_tables SET row_count = row_count + $3 WHERE store = $1 AND name = $2",
      {store, transaction.refused_table->definition.name, absl::StrCat(*kept)});
}

absl::Status move_progress(Conversation& talk, const std::string& store,
                           const sql::Relation& relation, const sql::Transaction& transaction,
                           Growth growth) {
  const Steps steps(transaction.steps);
  auto found = talk.ask(
      kMoveProgress, {store, absl::StrCat(transaction.epoch.value), relation.definition.name,
                      absl::StrCat(growth), array_of(steps.source), array_of(steps.epoch),
                      array_of(steps.position), array_of(steps.ordinal), array_of(steps.old_epoch),
                      array_of(steps.old_position), array_of(steps.old_ordinal)});
  if (!found.ok()) return found.status();
  const auto& counts = found->at(0);
  if (counts.at(0) != "1") {
    return absl::AbortedError("the store's epoch is another one by now");
  }
  if (counts.at(1) != "1") {
    return absl::NotFoundError(absl::StrCat("table ", relation.definition.name, " is gone"));
  }
  if (counts.at(2) != absl::StrCat(transaction.steps.size())) {
    return absl::UnavailableError(
        "somebody else has written for one of the sources at the same time; write again");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status commit(Conversation& talk, const std::string& store, const sql::Relation& relation,
                    const sql::Transaction& transaction) {
  if (absl::Status begun = talk.tell("BEGIN"); !begun.ok()) return begun;
  auto growth = change_rows(talk, relation, transaction);
  if (!growth.ok()) return growth.status();
  if (absl::Status kept = keep_refused(talk, store, transaction); !kept.ok()) return kept;
  absl::Status done = move_progress(talk, store, relation, transaction, *growth);
  if (!done.ok()) {
    talk.give_up();
    return done;
  }
  if (done = talk.tell("COMMIT"); done.ok()) return done;
  // Whatever it says, and however it ended: only the progress tells.
  return absl::UnavailableError(
      absl::StrCat("the outcome of a commit is not known, write again: ", done.message()));
}

}  // namespace pollux::postgres
