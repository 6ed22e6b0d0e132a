#include "ha/arbiter/remote/table_arbiter.h"

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

absl::StatusOr<ArbiterRecord> record_of_row(const RecordRow& row) {
  absl::StatusOr<ArbiterRecord> record = arbiter_record_of(row.record);
  if (record.ok() && record->version != row.version) {
    return absl::DataLossError(absl::StrCat("the row of version ", row.version,
                                            " holds the record of version ", record->version));
  }
  return record;
}

}  // namespace

absl::StatusOr<ArbiterRecord> TableArbiter::read() {
  return answer(read_by(Deadline(options_.timeout_ms), ""));
}

absl::StatusOr<ArbiterRecord> TableArbiter::compare_and_set(const ArbiterRecord& next) {
  absl::Status sound = check_arbiter_record(next);
  if (!sound.ok()) return sound;
  return answer(compare_and_set_by(next, Deadline(options_.timeout_ms)));
}

std::string TableArbiter::describe() const {
  return absl::StrCat(table_->describe(), ", domain ", options_.domain_name);
}

absl::StatusOr<ArbiterRecord> TableArbiter::compare_and_set_by(const ArbiterRecord& next,
                                                               const Deadline& deadline) {
  absl::Status connected = table_->connect(deadline);
  if (!connected.ok()) return connected;
  RecordRow row{next.version, to_json(next)};
  absl::StatusOr<bool> changed =
      next.version == 1 ? table_->insert(row, deadline) : table_->update(row, deadline);
  if (!changed.ok()) return changed.status();
  if (*changed) confirmed_ = row.record;
  return read_by(deadline, *changed ? row.record : "");
}

absl::StatusOr<ArbiterRecord> TableArbiter::read_by(const Deadline& deadline,
                                                    const std::string& committed) {
  absl::Status connected = table_->connect(deadline);
  if (!connected.ok()) return connected;
  while (!deadline.has_passed()) {
    absl::StatusOr<std::optional<RecordRow>> row = table_->find(deadline);
    if (!row.ok()) return row.status();
    if (!row->has_value()) return ArbiterRecord();
    absl::StatusOr<ArbiterRecord> record = record_of_row(**row);
    if (!record.ok() || (*row)->record == committed) return record;
    absl::StatusOr<bool> lasts = confirm(**row, deadline);
    if (!lasts.ok()) return lasts.status();
    if (*lasts) return record;
  }
  return absl::DeadlineExceededError("the record changed again and again");
}

absl::StatusOr<bool> TableArbiter::confirm(const RecordRow& row, const Deadline& deadline) {
  if (row.record == confirmed_ && !table_->has_standbys()) return true;
  absl::StatusOr<bool> confirmed = table_->confirm(row.version, deadline);
  if (confirmed.ok() && *confirmed) confirmed_ = row.record;
  return confirmed;
}

absl::StatusOr<ArbiterRecord> TableArbiter::answer(absl::StatusOr<ArbiterRecord> record) {
  if (record.ok()) return record;
  // A late answer must never be taken for that of a later question.
  table_->disconnect();
  return absl::Status(record.status().code(),
                      absl::StrCat("arbiter ", describe(), ": ", record.status().message()));
}

}  // namespace pollux
