#include "storage/mysql/cursor.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/mysql/names.h"
#include "storage/sql/cursor.h"

namespace pollux::mysql {
namespace {

constexpr int kRestSecondsMax = 300;

class Cursor : public sql::Cursor {
 public:
  Cursor(Conversation talk, int64_t timeout_ms, sql::RelationPtr relation, RecordTimeRange range)
      : sql::Cursor(std::move(relation)),
        talk_(std::move(talk)),
        timeout_ms_(timeout_ms),
        range_(range),
        place_(this->relation().has_key() ? "pollux_key" : "pollux_seq") {}
  ~Cursor() override {
    talk_.set_deadline(timeout_ms_);
    // Where one of them fails the session ends, and with it the transaction.
    talk_.tell("COMMIT").IgnoreError();
    talk_.tell(absl::StrCat("SET SESSION wait_timeout = ", kIdleSecondsMax)).IgnoreError();
  }

 private:
  /// Where a piece has ended.
  struct Place {
    std::string time;
    std::string behind;  ///< at that time, a literal
  };

  /// Rows of the time that the last piece ended with, and then later ones: each by a range of the
  /// index, however many rows one time has.
  absl::StatusOr<std::vector<sql::SqlRow>> fetch(size_t wanted) override {
    talk_.set_deadline(timeout_ms_);
    std::vector<sql::SqlRow> rows;
    if (last_) {
      auto same =
          select(absl::StrCat("pollux_time = ", last_->time, " AND ", place_, " > ", last_->behind),
                 wanted);
      if (!same.ok()) return same;
      rows = *std::move(same);
    }
    if (rows.size() == wanted) return rows;
    std::string later = last_ ? absl::StrCat("pollux_time > ", last_->time)
                              : absl::StrCat("pollux_time >= ", range_.from.ms);
    if (range_.to.ms != std::numeric_limits<int64_t>::max()) {
      absl::StrAppend(&later, " AND pollux_time < ", range_.to.ms);
    }
    auto more = select(later, wanted - rows.size());
    if (!more.ok()) return more;
    for (auto& row : *more) rows.push_back(std::move(row));
    return rows;
  }

  absl::StatusOr<std::vector<sql::SqlRow>> select(const std::string& condition, size_t wanted) {
    auto rows =
        talk_.ask(absl::StrCat("SELECT ", read_columns(relation()), ", ", place_, " FROM ",
                               relation().name, " FORCE INDEX (pollux_by_time) WHERE ", condition,
                               " ORDER BY pollux_time, ", place_, " LIMIT ", wanted));
    if (!rows.ok() || rows->empty()) return rows;
    const auto& end = rows->back();
    const std::string behind = end.back().value_or("");
    last_ =
        Place{end.at(end.size() - 2).value_or(""), relation().has_key() ? literal(behind) : behind};
    for (auto& row : *rows) row.pop_back();
    return rows;
  }

  Conversation talk_;
  const int64_t timeout_ms_;
  const RecordTimeRange range_;
  const std::string place_;
  std::optional<Place> last_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(const std::shared_ptr<Pool>& pool,
                                                          int64_t timeout_ms,
                                                          sql::RelationPtr relation,
                                                          RecordTimeRange range) {
  auto talk = Conversation::begin(pool, timeout_ms);
  if (!talk.ok()) return talk.status();
  for (const std::string& sql :
       {absl::StrCat("SET SESSION wait_timeout = ", kRestSecondsMax),
        std::string("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
        std::string("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"),
        // From here on nobody changes or drops the table.
        absl::StrCat("SELECT 1 FROM ", relation->name, " LIMIT 0")}) {
    if (absl::Status done = talk->ask(sql).status(); !done.ok()) return done;
  }
  return std::make_unique<Cursor>(*std::move(talk), timeout_ms, std::move(relation), range);
}

}  // namespace pollux::mysql
