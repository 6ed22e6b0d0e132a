// The arbiter on a table of an SQL database.
//
// What a database shows need not last: a row is visible to others in InnoDB before its log is
// synced, and in PostgreSQL when the wait for a standby was broken off. So a version that was not
// seen before is believed once a write behind it has been committed; where there are standbys, each
// time, which also shows that this server is still the one that they follow.
#pragma once

#include <memory>
#include <string>

#include "ha/arbiter/arbiter.h"
#include "ha/arbiter/remote/record_table.h"

namespace pollux {

/// What an error tells the operator to run when the table is missing.
inline constexpr char kCreateTableCommand[] = "pollux arbiter create-table";

class TableArbiter : public Arbiter {
 public:
  /// `options` have been checked.
  TableArbiter(const ArbiterOptions& options, std::unique_ptr<RecordTable> table)
      : options_(options), table_(std::move(table)) {}

  absl::StatusOr<ArbiterRecord> read() override;
  absl::StatusOr<ArbiterRecord> compare_and_set(const ArbiterRecord& next) override;
  std::string describe() const override;

 private:
  /// `committed`: what this call wrote, which needs no other proof; or empty.
  absl::StatusOr<ArbiterRecord> read_by(const Deadline& deadline, const std::string& committed);
  absl::StatusOr<ArbiterRecord> compare_and_set_by(const ArbiterRecord& next,
                                                   const Deadline& deadline);
  absl::StatusOr<bool> confirm(const RecordRow& row, const Deadline& deadline);
  /// The same answer; of an error, with its place, and without the session that it came from.
  absl::StatusOr<ArbiterRecord> answer(absl::StatusOr<ArbiterRecord> record);

  ArbiterOptions options_;
  std::unique_ptr<RecordTable> table_;
  std::string confirmed_;  // the record that is known to last
};

}  // namespace pollux
