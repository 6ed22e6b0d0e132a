#include "ha/pair/pair_journal.h"

#include <algorithm>
#include <utility>

#include "persistence/codec/entry_codec.h"

namespace pollux {

PairJournal::PairJournal(FileSystem& files, Journal& journal, size_t recent_bytes,
                         Timestamp last_timestamp)
    : files_(files),
      journal_(journal),
      history_(journal.epoch_ends()),
      recent_(recent_bytes),
      written_(journal.last().position),
      lasting_(written_),
      last_timestamp_(last_timestamp) {}

absl::Status PairJournal::append(Entry entry, JournalSpace space) {
  if (absl::Status kept = keep_record(entry, schemas_); !kept.ok()) return kept;
  if (absl::Status appended = journal_.append(entry, space); !appended.ok()) return appended;
  history_.append(entry.id);
  last_timestamp_ = std::max(last_timestamp_, entry.timestamp);
  recent_.append(std::move(entry));
  return absl::OkStatus();
}

absl::Status PairJournal::commit(Lasting lasting) {
  if (written_ != tail().position) {
    if (absl::Status committed = journal_.commit(); !committed.ok()) return committed;
    written_ = tail().position;
    recent_.shrink(written_);
  }
  if (lasting == Lasting::kProcess || lasting_ == written_) return absl::OkStatus();
  if (absl::Status synced = journal_.sync(); !synced.ok()) return synced;
  lasting_ = written_;
  return absl::OkStatus();
}

absl::Status PairJournal::truncate(Position last) {
  if (absl::Status cut = journal_.truncate(last); !cut.ok()) return cut;
  history_.truncate(last);
  recent_.truncate(last);
  written_ = std::min(written_, last);
  lasting_ = std::min(lasting_, last);
  return absl::OkStatus();
}

absl::Status PairJournal::restart_behind(EntryId at) {
  if (absl::Status dropped = journal_.restart_behind(at); !dropped.ok()) return dropped;
  history_ = EpochHistory(journal_.epoch_ends());
  recent_.clear();
  written_ = lasting_ = at.position;
  return absl::OkStatus();
}

}  // namespace pollux
