#include "storage/postgres/cursor.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/postgres/relation_sql.h"
#include "storage/sql/cursor.h"

namespace pollux::postgres {
namespace {

class Cursor : public sql::Cursor {
 public:
  Cursor(Conversation talk, int64_t timeout_ms, sql::RelationPtr relation)
      : sql::Cursor(std::move(relation)), talk_(std::move(talk)), timeout_ms_(timeout_ms) {}
  ~Cursor() override {
    talk_.set_deadline(timeout_ms_);
    // Where that fails the session ends, and with it the transaction.
    talk_.tell("COMMIT").IgnoreError();
  }

 private:
  absl::StatusOr<std::vector<sql::SqlRow>> fetch(size_t wanted) override {
    talk_.set_deadline(timeout_ms_);
    return talk_.ask(absl::StrCat("FETCH ", wanted, " FROM pollux_scan"));
  }

  Conversation talk_;
  const int64_t timeout_ms_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(const std::shared_ptr<Pool>& pool,
                                                          int64_t timeout_ms,
                                                          sql::RelationPtr relation,
                                                          RecordTimeRange range) {
  auto talk = Conversation::begin(pool, timeout_ms);
  if (!talk.ok()) return talk.status();
  absl::Status begun = talk->tell("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (begun.ok()) begun = talk->tell("SET LOCAL idle_in_transaction_session_timeout = '5min'");
  if (!begun.ok()) return begun;
  std::string sql =
      absl::StrCat("DECLARE pollux_scan NO SCROLL CURSOR FOR SELECT ", columns_of(*relation),
                   " FROM ", relation->name, " WHERE pollux_time >= ", range.from.ms);
  if (range.to.ms != std::numeric_limits<int64_t>::max()) {
    absl::StrAppend(&sql, " AND pollux_time < ", range.to.ms);
  }
  absl::StrAppend(&sql, " ORDER BY ", order_of(*relation));
  if (begun = talk->tell(sql); !begun.ok()) return begun;
  return std::make_unique<Cursor>(*std::move(talk), timeout_ms, std::move(relation));
}

}  // namespace pollux::postgres
