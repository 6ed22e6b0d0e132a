// Which segments a log has and how far it may be read: what its writer tells its readers.
// Thread: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
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

  /// What a reader asks before and behind each record.
  struct Reach {
    uint64_t readable = 0;
    size_t cuts = 0;  ///< so far; whatever was read from files when there were fewer may be gone
    /// The lowest sequence from which on records were cut since there had been `seen` cuts.
    uint64_t lowest_cut = std::numeric_limits<uint64_t>::max();
    bool over = false;  ///< the log was dropped
  };
  Reach reach(size_t seen) const {
    std::lock_guard lock(mutex_);
    Reach reach{readable_, cuts_.size(), std::numeric_limits<uint64_t>::max(), over_};
    for (; seen < cuts_.size(); ++seen) reach.lowest_cut = std::min(reach.lowest_cut, cuts_[seen]);
    return reach;
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
  /// Records from `sequence` on are not there any more; that of them which the last segment had is
  /// gone from its file, which is another one, of `bytes`.
  void cut(uint64_t sequence, uint64_t bytes) {
    std::lock_guard lock(mutex_);
    while (places_.size() > 1 && places_.back().first > sequence) places_.pop_back();
    places_.back().bytes = bytes;
    readable_ = std::min(readable_, sequence);
    cuts_.push_back(sequence);
  }
  /// The log is dropped with all its segments.
  void end() {
    std::lock_guard lock(mutex_);
    over_ = true;
    cuts_.push_back(0);
  }

 private:
  const LogId id_;
  mutable std::mutex mutex_;
  std::vector<SegmentPlace> places_;  // in order
  uint64_t readable_ = 0;
  std::vector<uint64_t> cuts_;  // where each began; a few in the life of a process
  bool over_ = false;
};

}  // namespace pollux
