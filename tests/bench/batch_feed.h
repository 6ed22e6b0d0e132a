// Prepares the events of a feed as batches of the engine, a section at a time, outside the time
// that is measured.
//
// Each batch owns copies of its strings, as one from a receiver does. A batch that the engine let
// go of is filled again; one that it still holds is left to it. Thread: the feeding thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/runtime/entry.h"
#include "tests/bench/workload_data.h"

namespace pollux::bench {

class BatchFeed {
 public:
  struct Options {
    uint32_t batch_rows;
    uint32_t section_rows;
  };

  /// `events` is cycled for ever, with timestamps that go on growing; it must outlive the feed.
  BatchFeed(const EventBatch& events, Options options);

  /// The next `rows` events as entries, numbered from `next` on; each carries the timestamp of its
  /// last row. Valid until the next call.
  const std::vector<Entry>& prepare(Position& next, uint64_t rows);
  uint32_t section_rows() const { return options_.section_rows; }

  /// Lets go of what was prepared, so that only the engine's own holdings are left.
  void release() { entries_.clear(); }

  uint64_t rows_prepared() const { return row_; }

 private:
  void fill(EventBatch& batch, uint32_t rows);
  void copy_column(EventBatch& to, size_t column, uint32_t rows) const;

  const EventBatch& events_;
  Options options_;
  uint64_t row_ = 0;
  std::vector<std::shared_ptr<EventBatch>> pool_;
  std::vector<Entry> entries_;
};

/// All events as one batch of LoginStream.
EventBatchPtr events_batch(const std::vector<LoginEvent>& events);
/// The users as one batch of UserStream.
EventBatchPtr users_batch(const std::vector<User>& users);

}  // namespace pollux::bench
