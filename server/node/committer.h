// Makes entries last, and tells of each once it does: the journal's one thread.
//
// Whatever was appended while the last group was being written is the next group: one write and one
// sync for all of it. Entries come in the order of their positions. When the disk or the journal's
// reserve is full, what waits goes on waiting, and is tried again; any other fault is for ever: all
// that wait and all that come are told so. Thread: any; callbacks are made on the committer's
// thread, in order, and must be quick.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "engine/runtime/entry.h"
#include "persistence/journal/journal.h"
#include "server/node/entry_log.h"

namespace pollux {

struct CommitterOptions {
  /// From here on room_for() refuses; the journal has its reserve above it.
  uint64_t journal_bytes_max = uint64_t{16} << 30;
  size_t queue_bytes_max = size_t{64} << 20;
  /// When the journal does not sync each commit: how often it is synced. 0: never.
  std::chrono::milliseconds sync_interval{0};
  /// Once, on the committer's thread: the journal will take nothing any more.
  std::function<void(const absl::Status&)> failed;
  /// Once each time that begins: the disk has no room, and entries wait for some.
  std::function<void(const absl::Status&)> stuck;
  /// Segments were removed: there may be room.
  std::function<void()> trimmed;
};

class Committer final : public EntryLog {
 public:
  Committer(std::unique_ptr<Journal> journal, CommitterOptions options);
  ~Committer() override { stop(); }

  absl::Status room_for(size_t bytes) const override;
  bool is_full(size_t bytes) const override;
  void append(Entry entry, size_t bytes, Committed committed) override;
  void behind(Reached reached) override;
  void trim(Position below) override;
  EntryLogCounts counts() const override;

  /// Commits what waits, and closes the journal; what cannot be committed is told so.
  void stop();

 private:
  static constexpr size_t kGroupBytesMax = size_t{8} << 20;
  static constexpr std::chrono::milliseconds kTryAgain{100};

  struct Item {
    Entry entry;
    size_t bytes = 0;
    Committed committed;  ///< of an entry
    Reached reached;      ///< of what only waits
  };
  using Items = std::deque<Item>;

  void run();
  bool wait_for_work(Items& group);
  void commit(Items& group);
  absl::Status append_some(const Items& group, size_t& appended);
  absl::Status commit_appended(uint64_t bytes);
  bool wait_for_space(const absl::Status& why);
  void finish(Items& group, size_t count, const absl::Status& status);
  void trim_now();
  void note(const absl::Status& status);

  const std::unique_ptr<Journal> journal_;
  const CommitterOptions options_;
  std::chrono::steady_clock::time_point next_sync_;  // the committer's thread

  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  Items queue_;
  size_t queued_bytes_ = 0;
  Position trim_below_;
  bool stopping_ = false;
  EntryLogCounts counts_;

  std::thread thread_;
};

}  // namespace pollux
