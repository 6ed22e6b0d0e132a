#include "ha/pair/entry_source.h"

namespace pollux {

absl::StatusOr<std::optional<Entry>> EntrySource::next(Position upto) {
  if (next_ > upto) return std::nullopt;
  if (const Entry* recent = recent_.find(next_)) {
    reader_ = nullptr;
    ++next_.value;
    return *recent;
  }
  if (reader_ == nullptr) {
    reader_ = std::make_unique<JournalReader>(files_, journal_.index(), next_);
  }
  auto entry = reader_->next();
  if (entry.ok() && *entry) ++next_.value;
  return entry;
}

}  // namespace pollux
