#include "persistence/journal/journal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/entry_codec.h"

namespace pollux {

absl::StatusOr<std::unique_ptr<Journal>> Journal::open(FileSystem& files,
                                                       const JournalOptions& options) {
  if (options.bytes_reserved >= options.bytes_max) {
    return absl::InvalidArgumentError("the journal's reserve is not below its limit");
  }
  SegmentLogOptions log_options;
  log_options.place = {options.directory, LogKind::kJournal};
  log_options.segment_bytes = options.segment_bytes;
  log_options.covered = {options.covered.position.value, options.covered.epoch.value};
  log_options.new_id = options.new_id;
  auto log = SegmentLog::open(files, log_options);
  if (!log.ok()) return log.status();
  if ((*log)->next() <= options.reached.position.value) {
    return absl::DataLossError(absl::StrCat(options.directory, ": the journal ends at ",
                                            (*log)->next() - 1, ", and a state has seen entry ",
                                            options.reached.position.value,
                                            "; others lack what is ", "between"));
  }
  return std::unique_ptr<Journal>(new Journal(options, *std::move(log)));
}

absl::Status Journal::append(const Entry& entry, JournalSpace space) {
  EntryId before = last();
  if (entry.id.position.value != before.position.value + 1 || entry.id.epoch < before.epoch) {
    return absl::InvalidArgumentError(absl::StrCat("entry ", entry.id.epoch.value, ".",
                                                   entry.id.position.value, " does not follow ",
                                                   before.epoch.value, ".", before.position.value));
  }
  uint64_t limit = options_.bytes_max;
  if (space == JournalSpace::kOrdinary) limit -= options_.bytes_reserved;
  if (bytes() >= limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.directory, ": the journal has ", bytes(), " bytes, of ", limit));
  }
  auto write_payload = [&](std::string& out, bool new_segment) {
    if (new_segment) schemas_.clear();
    return encode_entry(entry, schemas_, out);
  };
  absl::Status appended = log_->append(1, entry.id.epoch.value, write_payload);
  if (!appended.ok()) schemas_.clear();  // what was taken back may have been a schema's first
  return appended;
}

absl::Status Journal::commit() {
  absl::Status written = options_.sync_commits ? log_->sync() : log_->flush();
  if (!written.ok()) return written;
  log_->let_read(log_->next());
  return absl::OkStatus();
}

absl::Status Journal::truncate(Position last) {
  absl::Status cut = log_->truncate(last.value);
  schemas_.clear();  // the first of one may have been cut
  return cut;
}

absl::Status Journal::restart_behind(EntryId at) {
  absl::Status dropped = log_->restart_behind({at.position.value, at.epoch.value});
  schemas_.clear();
  return dropped;
}

std::vector<EntryId> Journal::epoch_ends() const {
  std::vector<EntryId> ends;
  for (const RecordId& end : log_->tag_ends()) ends.push_back({{end.tag}, {end.sequence}});
  return ends;
}

absl::Status Journal::close() {
  if (absl::Status closed = log_->close(); !closed.ok()) return closed;
  log_->let_read(log_->next());
  return absl::OkStatus();
}

}  // namespace pollux
