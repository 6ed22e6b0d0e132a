// An append-only log of records in segment files, each record with a sequence number.
//
// Records are gathered in memory; flush() writes what was gathered with one write, sync() makes it
// last. A new segment begins with the first record behind a full one. truncate() takes records off
// the end; others with the same numbers come in their place. On open the log is recovered:
// what a crash tore off is cut, what cannot be proven to have lasted is written once more (the page
// cache may hold bytes that a failed sync never brought to the disk), and rot is told.
// Thread: one. Errors: kResourceExhausted (the disk is full) leaves everything as it was, also what
// was gathered: try again when there is room. Any other error of a write, and every failed sync,
// is for ever: from then on each call returns it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/segment_files.h"
#include "persistence/segments/segment_index.h"
#include "persistence/segments/segment_survey.h"

namespace pollux {

struct SegmentLogOptions {
  LogPlace place;
  uint64_t segment_bytes = 64u << 20;
  /// Records up to this one are not needed any more: rot among them is told and passed over. A log
  /// that ends before it begins anew behind it, under a new id.
  RecordId covered;
  std::function<LogId()> new_id = random_log_id;
};

/// What open() found, for the log and the metrics.
struct RecoveryReport {
  bool made_new = false;    ///< there was no log, or it ended before what is covered
  uint64_t torn_bytes = 0;  ///< cut off the end of `torn_file`
  std::string torn_file;
  uint64_t written_again = 0;  ///< records that could not be proven to have lasted
  struct RottenFile {
    std::string path;
    Rot rot;
  };
  std::vector<RottenFile> rot;  ///< among what is covered
};

class SegmentLog {
 public:
  /// kDataLoss: rot in what is needed, with file and sequence; kUnavailable: open elsewhere;
  /// kFailedPrecondition: a newer version; the disk's. After an error nothing that was whole is
  /// lost.
  static absl::StatusOr<std::unique_ptr<SegmentLog>> open(FileSystem& files,
                                                          const SegmentLogOptions& options);

  /// Writes a payload behind what is there. `new_segment`: it is the first of its segment's file.
  using WritePayload = absl::FunctionRef<absl::Status(std::string& out, bool new_segment)>;

  /// Gathers a record that takes `count` sequence numbers from next() on. Errors are the payload's,
  /// after which nothing was gathered, or those of the new segment that it should have begun.
  absl::Status append(uint32_t count, uint64_t tag, WritePayload write_payload);
  /// What was gathered is in the file, and may be lost with the power.
  absl::Status flush();
  /// What was gathered lasts.
  absl::Status sync();
  /// Readers see what is below `sequence`.
  void let_read(uint64_t sequence);
  /// A clean end: what was gathered lasts, and the next open need not write anything again.
  absl::Status close();

  /// Removes the segments of which every record is below `sequence`, oldest first; never the last.
  absl::Status trim(uint64_t sequence);

  /// Takes off every record behind `last`, which ends a record; also those that were gathered. It
  /// lasts when the call returns, and so does what stays, unless that was gathered. A crash inside
  /// leaves all records up to one at or behind `last`. The next record may have any tag from that
  /// of `last` on. kOutOfRange: `last` has been trimmed; kDataLoss: what should stay cannot be
  /// read; then, and when the disk is full, nothing has changed. Readers: log_reader.h.
  absl::Status truncate(uint64_t last);
  /// Drops everything and goes on behind `at`, with a new id and a new index; the readers of the
  /// old one are told kOutOfRange. Lasts when the call returns. A crash inside leaves the log as it
  /// was, or its front, or a directory without segments, or the new log. When the disk is full,
  /// nothing has changed.
  absl::Status restart_behind(RecordId at);

  const LogId& id() const { return index_->id(); }
  /// The first sequence that is there, and the one that the next record gets.
  uint64_t first() const { return segments_.front().header.first; }
  uint64_t next() const { return next_; }
  /// The tag of the last record, also when that was trimmed.
  uint64_t last_tag() const { return last_tag_; }
  /// The last record of each tag, in order, from the record right before first() on.
  const std::vector<RecordId>& tag_ends() const { return tag_ends_; }
  /// Records below this sequence last.
  uint64_t durable() const { return durable_; }
  /// Of all files, and of what was gathered.
  uint64_t bytes() const { return bytes_before_ + segments_.back().bytes + gathered_.size(); }
  /// Shared with readers, which may outlive the log; another one behind restart_behind().
  const std::shared_ptr<SegmentIndex>& index() const { return index_; }
  const RecoveryReport& report() const { return report_; }

 private:
  SegmentLog(FileSystem& files, const SegmentLogOptions& options, std::unique_ptr<FileLock> lock)
      : files_(files), options_(options), lock_(std::move(lock)) {}

  absl::Status recover();
  absl::Status check_earlier_segments();
  absl::Status check_segment(const SegmentFile& segment, RecordId last);
  absl::Status recover_last_segment();
  absl::Status write_again(const ReadFile& file, const Survey& survey);
  absl::Status begin_anew(RecordId behind);
  absl::Status note_rot(const std::string& path, const std::vector<Rot>& rot);
  void make_index();

  void add_mark();
  absl::Status begin_segment();
  absl::Status write(std::string& bytes);
  absl::Status sync_file();
  absl::Status fail(const absl::Status& status);
  absl::Status remove_segment(const SegmentFile& segment);

  void cut_gathered(uint64_t next);
  absl::Status cut_files(RecordId last);
  absl::Status put_front(size_t kept, SegmentFile front);
  void note_tag(RecordId last);
  void cut_tags(uint64_t last);

  FileSystem& files_;
  const SegmentLogOptions options_;
  std::unique_ptr<FileLock> lock_;
  std::shared_ptr<SegmentIndex> index_;
  RecoveryReport report_;
  absl::Status failed_;  // once it is not ok it stays

  std::vector<SegmentFile> segments_;  // in order; the last is written
  uint64_t bytes_before_ = 0;          // of all segments but the last
  std::unique_ptr<AppendFile> file_;   // the last segment's; null when that has been ended
  std::string gathered_;               // frames of the last segment
  bool write_failed_ = false;          // the disk was full; what was gathered waits
  bool synced_ = true;                 // what was written lasts
  uint64_t next_ = 0;
  uint64_t written_ = 0;  // records below this sequence are in the files
  uint64_t last_tag_ = 0;
  std::vector<RecordId> tag_ends_;
  uint64_t durable_ = 0;
};

}  // namespace pollux
