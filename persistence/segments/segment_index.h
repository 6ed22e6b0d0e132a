// Which segments a log has and how far it may be read: what its writer tells its readers.
// Thread: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persistence/segments/log_id.h"

namespace pollux {

struct SegmentPlace {
  uint64_t first = 0;  ///< sequence of its first record
  std::string path;
  uint64_t bytes = 0;
};

class SegmentIndex {
 public:
  explicit SegmentIndex(const LogId& id) : id_(id) {}

  const LogId& id() const { return id_; }

  /// The segment that holds `sequence`, which is below what can be read.
  struct Found {
    SegmentPlace place;
    uint64_t end = 0;  ///< what can be read of it ends before this sequence
    bool last = false;
  };
  /// Nothing when it has been trimmed.
  std::optional<Found> find(uint64_t sequence) const {
    std::lock_guard lock(mutex_);
    auto behind = std::upper_bound(
        places_.begin(), places_.end(), sequence,
        [](uint64_t value, const SegmentPlace& place) { return value < place.first; });
    if (behind == places_.begin()) return std::nullopt;
    bool last = behind == places_.end();
    return Found{*std::prev(behind), last ? readable_ : std::min(behind->first, readable_), last};
  }
  /// The oldest that has not been trimmed.
  uint64_t first() const {
    std::lock_guard lock(mutex_);
    return places_.front().first;
  }
  /// Where the second segment begins; nothing when there is only one.
  std::optional<uint64_t> second() const {
    std::lock_guard lock(mutex_);
    return places_.size() < 2 ? std::nullopt : std::optional(places_[1].first);
  }
  /// Records below this sequence may be read.
  uint64_t readable() const {
    std::lock_guard lock(mutex_);
    return readable_;
  }

  // ---- the writer's ----

  std::vector<SegmentPlace> places() const {
    std::lock_guard lock(mutex_);
    return places_;
  }
  void add(SegmentPlace place) {
    std::lock_guard lock(mutex_);
    places_.push_back(std::move(place));
  }
  void remove_first() {
    std::lock_guard lock(mutex_);
    places_.erase(places_.begin());
  }
  void put_back_first(SegmentPlace place) {
    std::lock_guard lock(mutex_);
    places_.insert(places_.begin(), std::move(place));
  }
  /// The last segment has grown, and what is in it may be read up to `readable`.
  void grow(uint64_t bytes, uint64_t readable) {
    std::lock_guard lock(mutex_);
    places_.back().bytes = bytes;
    readable_ = readable;
  }

 private:
  const LogId id_;
  mutable std::mutex mutex_;
  std::vector<SegmentPlace> places_;  // in order
  uint64_t readable_ = 0;
};

}  // namespace pollux
