// The last entries of a journal, in memory, for those who follow close behind. Thread: one.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "engine/runtime/entry.h"

namespace pollux {

class RecentEntries {
 public:
  explicit RecentEntries(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Behind the last one.
  void append(Entry entry) {
    size_t bytes = bytes_of(entry);
    bytes_ += bytes;
    entries_.push_back({std::move(entry), bytes});
  }
  /// What is more than `bytes_max` goes, oldest first, but not what stands behind `durable`, which
  /// is nowhere else yet.
  void shrink(Position durable) {
    while (bytes_ > bytes_max_ && entries_.front().entry.id.position <= durable) drop_front();
  }
  /// Nobody needs it any more.
  void forget(Position upto) {
    while (!entries_.empty() && entries_.front().entry.id.position <= upto) drop_front();
  }
  void truncate(Position position) {
    while (!entries_.empty() && entries_.back().entry.id.position > position) {
      bytes_ -= entries_.back().bytes;
      entries_.pop_back();
    }
  }
  void clear() {
    entries_.clear();
    bytes_ = 0;
  }
  /// Null when it is not there (any more).
  const Entry* find(Position position) const {
    if (entries_.empty() || position < entries_.front().entry.id.position) return nullptr;
    size_t at = position.value - entries_.front().entry.id.position.value;
    return at < entries_.size() ? &entries_[at].entry : nullptr;
  }

  /// About what it takes in memory, and on the wire.
  static size_t bytes_of(const Entry& entry) {
    size_t bytes = kBytesOfOne;
    if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
      bytes += bytes_held(*events);
      if (entry.record != nullptr) bytes += entry.record->size();
    } else if (const auto* deploy = std::get_if<DeployPayload>(&entry.payload)) {
      bytes += deploy->text.size() + deploy->source.size();
      for (const StoredRows& rows : deploy->stored) {
        for (const EventBatchPtr& batch : rows.batches) bytes += batch->bytes_held();
      }
    } else if (const auto* write = std::get_if<WritePayload>(&entry.payload)) {
      bytes += write->text.size();
    }
    return bytes;
  }

 private:
  static constexpr size_t kBytesOfOne = 128;
  struct Kept {
    Entry entry;
    size_t bytes;
  };

  void drop_front() {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }

  const size_t bytes_max_;
  std::deque<Kept> entries_;
  size_t bytes_ = 0;
};

}  // namespace pollux
