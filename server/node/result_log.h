// The newest results of one stream, in order: written by plans, read by sinks and subscribers.
//
// Bounded in bytes: what no hold protects is forgotten, oldest first, and a reader that asks for
// what was forgotten is told so. Where holds keep more than the bound, the log is full, and the
// plans that write it wait until something is confirmed. When its last writer has gone, the log has
// ended: readers are told so once they have read it all. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/types/ids.h"

namespace pollux {

/// Rows of one plan that one entry caused; each has the id "tenant/plan/epoch.position.ordinal".
struct ResultSlice {
  uint64_t first = 0;  ///< the offset of the first row in its log; the others follow
  std::shared_ptr<const std::string> plan;
  EntryId cause;
  EventBatchPtr batch;
  std::vector<uint32_t> ordinals;  ///< one a row

  uint64_t end() const { return first + batch->rows(); }
};
using ResultSlicePtr = std::shared_ptr<const ResultSlice>;

/// "-1234/plan/1.42.0"
std::string result_id(const ResultSlice& slice, uint32_t row);

class ResultLog {
 public:
  struct Read {
    std::vector<ResultSlicePtr> slices;  ///< empty: nothing new yet; the first may begin before
                                         ///< `from`, its rows below `from` are to be skipped
    uint64_t next = 0;                   ///< ask on from here
    bool forgotten = false;  ///< rows from `from` on are gone; `next` is the oldest left
    bool ended = false;      ///< nothing is new, nor ever will be
  };

  /// Whoever appends; the log ends with the destruction of the last one.
  class Writer {
   public:
    ~Writer();

   private:
    friend class ResultLog;
    explicit Writer(ResultLog& log) : log_(log) {}
    ResultLog& log_;
  };

  /// Ends with its destruction; no call is under way then.
  class Listener {
   public:
    ~Listener();

   private:
    friend class ResultLog;
    Listener(ResultLog& log, uint64_t number) : log_(log), number_(number) {}
    ResultLog& log_;
    uint64_t number_;
  };

  /// Keeps rows until they are confirmed; all of them may go with its destruction.
  class Hold {
   public:
    ~Hold();
    /// Rows below `up_to` are no longer needed.
    void confirm(uint64_t up_to);

   private:
    friend class ResultLog;
    Hold(ResultLog& log, uint64_t number) : log_(log), number_(number) {}
    ResultLog& log_;
    uint64_t number_;
  };

  ResultLog(SchemaPtr schema, size_t bytes_max) : schema_(std::move(schema)), max_(bytes_max) {}

  const SchemaPtr& schema() const { return schema_; }

  // ---- plans ----

  std::unique_ptr<Writer> write();
  /// Takes over the slice and gives its rows their offsets.
  void append(ResultSlice slice);
  bool full() const;
  /// Calls `room` once, when the log is not (or no longer) full; perhaps at once.
  void when_not_full(std::function<void()> room);

  // ---- readers ----

  /// Offset behind the newest row, and of the oldest one that is left.
  uint64_t end() const;
  uint64_t begin() const;
  /// Rows from `from` on, about `rows_max` of them (whole slices).
  Read read(uint64_t from, size_t rows_max) const;
  /// The offset behind the row of that id; nothing when the log does not hold it.
  std::optional<uint64_t> offset_behind(std::string_view id) const;
  /// Calls `listener` whenever there is something new. It must be quick, and must not call the log.
  std::unique_ptr<Listener> listen(std::function<void()> listener);
  std::unique_ptr<Hold> hold(uint64_t from);

  uint64_t bytes() const;

 private:
  struct Holder {
    uint64_t number;
    uint64_t from;
  };
  struct Hearer {
    uint64_t number;
    std::function<void()> call;
  };

  bool is_full() const;
  void forget();
  void tell_listeners();
  void writer_gone();
  void confirm(uint64_t number, uint64_t up_to);
  void let_go(uint64_t number);
  void unlisten(uint64_t number);
  void room_made(std::unique_lock<std::mutex> lock);

  const SchemaPtr schema_;
  const size_t max_;

  mutable std::mutex mutex_;
  std::deque<ResultSlicePtr> slices_;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  size_t bytes_ = 0;
  size_t writers_ = 0;
  bool ended_ = false;
  uint64_t last_hold_ = 0;
  std::vector<Holder> holds_;
  std::vector<std::function<void()>> waiting_;

  std::mutex listeners_mutex_;  // held while they are called
  std::vector<Hearer> listeners_;
  uint64_t last_listener_ = 0;
};

/// Finds the log of a stream; null when no plan writes it.
class ResultLogs {
 public:
  virtual ~ResultLogs() = default;
  virtual std::shared_ptr<ResultLog> find_results(std::string_view stream) const = 0;
};

}  // namespace pollux
