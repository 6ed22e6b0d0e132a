// The results of one stream, in order: written by plans, read by sinks and subscribers.
//
// Rows are gathered by append() and seen by readers once flush() has written them: what anybody saw
// is in the file, if there is one, so that the end of the process neither loses nor reorders what
// was seen. Rows that a replay makes once more are known by their ids and dropped.
//
// Bounded in bytes: what no hold protects is forgotten, oldest first, and a reader that asks for
// what was forgotten is told so. Where holds keep more than the bound, or the disk is full, the log
// is full, and the plans that write it wait until something is confirmed, or there is room. When
// the last writer has gone, the log has ended: readers are told so once they have read it all. Any
// other error of the disk is for ever: see status(). Thread: any.
#pragma once

#include <atomic>
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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "engine/types/ids.h"
#include "persistence/files/file_system.h"
#include "persistence/outbox/reader_places.h"
#include "persistence/segments/log_id.h"
#include "server/node/result_file.h"
#include "server/node/result_ids.h"
#include "server/node/result_slice.h"
#include "server/node/result_window.h"

namespace pollux {

/// Of a log that outlives the process.
struct ResultLogOptions {
  std::string directory;  ///< of this log alone
  /// What stays for subscribers that come back, though all sinks have confirmed it.
  uint64_t log_bytes_max = uint64_t{64} << 20;
  /// What may wait on disk for sinks; then the log is full.
  uint64_t outbox_bytes_max = uint64_t{1} << 30;
  /// Newest results that are read without the disk.
  size_t memory_bytes_max = size_t{8} << 20;
  /// Called once, on any thread, when the log can write nothing more for ever.
  std::function<void(const absl::Status&)> on_error;
  std::function<LogId()> new_id = random_log_id;
};

class ResultLog {
 public:
  struct Read {
    std::vector<ResultSlicePtr> slices;  ///< empty: nothing new yet; the first may begin before
                                         ///< `from`, its rows below `from` are to be skipped
    uint64_t next = 0;                   ///< ask on from here
    bool forgotten = false;  ///< rows from `from` on are gone; `next` is the oldest left
    bool ended = false;      ///< nothing is new, nor ever will be
    absl::Status error;  ///< rows from `from` on cannot be read; the same call may go well later
  };

  /// Whoever appends; the log ends with the destruction of the last one, and goes on with the next.
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

  /// Keeps rows until they are confirmed. With its destruction all of them may go, but not those of
  /// a named reader in a durable log: it has its place until forget().
  class Hold {
   public:
    ~Hold();
    /// Rows below it are not held.
    uint64_t from() const;
    /// Rows below `up_to` are no longer needed.
    void confirm(uint64_t up_to);
    /// The reader is gone for good, and has no place any more.
    void forget();

   private:
    friend class ResultLog;
    Hold(ResultLog& log, uint64_t number) : log_(log), number_(number) {}
    ResultLog& log_;
    std::atomic<uint64_t> number_;  // 0: forgotten
  };

  /// In memory: about `bytes_max` bytes for readers that come back, and what is held. Offsets begin
  /// with 0.
  ResultLog(SchemaPtr schema, size_t bytes_max);
  /// Durable; made when it is not there, else it goes on where it stood. Offsets begin with 1.
  /// `files` outlives the log. kDataLoss: rot in what is not confirmed, with file and offset;
  /// kFailedPrecondition: a newer version, or rows with other attributes; kUnavailable: open
  /// elsewhere; the disk's. After an error nothing that was whole is lost.
  static absl::StatusOr<std::shared_ptr<ResultLog>> open(FileSystem& files, SchemaPtr schema,
                                                         ResultLogOptions options);

  const SchemaPtr& schema() const { return schema_; }
  /// What an operator should know of what open() found; empty when all was as it should be.
  const std::vector<std::string>& recovery_notes() const { return notes_; }

  // ---- plans ----

  std::unique_ptr<Writer> write();
  /// Takes over the slice and gives its rows their offsets; rows whose ids are not above the last
  /// one of their plan are dropped.
  void append(ResultSlice slice);
  /// Readers see what was appended.
  void flush();
  bool full() const;
  /// Calls `room` once, when the log is not (or no longer) full; perhaps at once.
  void when_not_full(std::function<void()> room);

  // ---- readers ----

  /// Offset behind the newest row that can be read, and of the oldest one that is left.
  uint64_t end() const;
  uint64_t begin() const;
  /// Rows that could ever be read.
  uint64_t rows() const { return end() - (file_ != nullptr ? 1 : 0); }
  /// Rows from `from` on, about `rows_max` of them (whole slices).
  Read read(uint64_t from, size_t rows_max) const;
  /// The offset behind the row of that id; nothing when the log does not hold it, or cannot read
  /// it.
  std::optional<uint64_t> offset_behind(std::string_view id) const;
  /// Calls `listener` whenever there is something new. It must be quick, and must not write.
  std::unique_ptr<Listener> listen(std::function<void()> listener);
  /// Calls all listeners, though there is nothing new: whether they may read has changed.
  void tell_listeners();
  std::unique_ptr<Hold> hold(uint64_t from);
  /// A hold of the reader of that name, of which there is one at a time. In a durable log it begins
  /// where the reader's last one stood, also after a restart; if there was none, at `from`, and the
  /// log is full until that is noted on disk. Rows may be held twice after a loss of power, or a
  /// full disk, never not at all.
  std::unique_ptr<Hold> resume(const std::string& reader, uint64_t from);
  /// Forgets the places of readers that have not come back since open().
  void forget_unclaimed();

  // ---- durability ----

  /// All that was appended lasts; at once when the log is in memory. kResourceExhausted: the disk
  /// is full; else as status().
  absl::Status sync();
  /// Tries again what a full disk refused; to be called now and then.
  void retry();
  /// The error after which nothing more becomes visible, and the log is full for ever.
  absl::Status status() const;
  /// A clean end: behind it the log writes nothing more, and nobody is called. The next open() has
  /// less to do.
  absl::Status close();

  /// On disk, else in memory.
  uint64_t bytes() const;
  /// Rows that were dropped since they had been there.
  uint64_t repeated_rows() const;

 private:
  struct Holder {
    uint64_t number = 0;
    uint64_t from = 0;
    std::string key;      // of a named reader in a durable log
    bool noted = true;    // `from`, or an earlier place, stands on disk
    bool live = true;     // there is a Hold
    bool claimed = true;  // there is or was one
  };
  struct Hearer {
    uint64_t number;
    std::function<void()> call;
  };

  ResultLog(SchemaPtr schema, ResultLogOptions options, std::unique_ptr<ReaderPlaces> places);

  // With mutex_ held.
  Holder* find_holder(uint64_t number);
  uint64_t held_from() const;
  bool is_full() const;
  bool may_trim() const;
  void shrink_window();

  // With write_mutex_ held.
  bool write_gathered();
  absl::Status write_down(std::vector<ResultSlicePtr>& written);
  void note_places();
  bool trim();

  void note(const absl::Status& status);
  void call_out();
  void writer_gone();
  uint64_t place_of(uint64_t number) const;
  void confirm(uint64_t number, uint64_t up_to);
  void let_go(uint64_t number, bool for_good);
  void confirmed();
  void unlisten(uint64_t number);

  const SchemaPtr schema_;
  const ResultLogOptions options_;
  const std::unique_ptr<ReaderPlaces> places_;  // null: in memory
  std::unique_ptr<ResultFile> file_;            // null: in memory
  std::vector<std::string> notes_;

  // Orders what becomes visible; taken before mutex_, and held while the disk is written.
  std::mutex write_mutex_;
  std::deque<ResultSlicePtr> unwritten_;
  LastIds written_ids_;

  mutable std::mutex mutex_;
  ResultIds ids_;
  ResultWindow window_;  // ends with what is visible
  std::vector<ResultSlicePtr> gathered_;
  uint64_t appended_end_ = 0;
  size_t waiting_slices_ = 0;  // gathered or unwritten
  size_t waiting_bytes_ = 0;
  bool refused_ = false;  // the disk was full, and something is unwritten
  uint64_t file_bytes_ = 0;
  std::optional<uint64_t> trim_from_;
  uint64_t repeated_rows_ = 0;
  absl::Status status_;
  bool error_told_ = false;
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
  /// Whether subscribers are to be given results here; else who is.
  virtual absl::Status lets_out() const = 0;
  /// Whether the result of that id may still be made: a node that has begun to lead may not have
  /// applied all that the one before it had. To be asked before a log is asked for the id.
  virtual bool may_come(std::string_view id) const = 0;
};

}  // namespace pollux
