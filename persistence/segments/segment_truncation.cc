// How a SegmentLog takes back records, and how it drops all of them.
//
// A segment that is cut gets a new file in the place of the old one. In the old one the record
// behind which the cut goes may stand where the disk never got it, and once more behind records
// that are to go; and a reader on another thread must not see old and new bytes behind each other.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "persistence/segments/segment_copy.h"
#include "persistence/segments/segment_log.h"

namespace pollux {

absl::Status SegmentLog::truncate(uint64_t last) {
  if (!failed_.ok()) return failed_;
  uint64_t next = last + 1;
  if (next >= next_) return absl::OkStatus();
  if (next < first()) {
    return absl::OutOfRangeError(absl::StrCat(options_.place.directory, ": record ", last,
                                              " has been trimmed; the log begins at ", first()));
  }
  // The tag of `last` is that of the first end that is not before it.
  auto end = std::find_if(tag_ends_.begin(), tag_ends_.end(),
                          [last](const RecordId& one) { return one.sequence >= last; });
  POLLUX_CHECK(end != tag_ends_.end());
  uint64_t tag = last == 0 ? 0 : end->tag;
  absl::Status lasts = next < written_ ? cut_files({last, tag}) : sync_file();
  if (!lasts.ok()) return lasts;
  cut_gathered(next);
  cut_tags(last);
  next_ = next;
  last_tag_ = tag;
  // Also where nothing but gathered bytes was cut: a reader may have seen the part of them that a
  // full disk took.
  index_->cut(next, segments_.back().bytes);
  return absl::OkStatus();
}

/// Marks are only gathered behind all records.
void SegmentLog::cut_gathered(uint64_t next) {
  size_t kept = 0;
  while (kept < gathered_.size()) {
    LogFrameHeader header;
    POLLUX_CHECK(decode_frame_header(id(), std::string_view(gathered_).substr(kept), header));
    if (header.frame.sequence >= next) break;
    kept += kFrameHeaderBytes + header.length;
  }
  gathered_.resize(kept);
  write_failed_ = write_failed_ && kept > 0;
}

void SegmentLog::cut_tags(uint64_t last) {
  while (tag_ends_.size() > 1 && tag_ends_[tag_ends_.size() - 2].sequence >= last) {
    tag_ends_.pop_back();
  }
  tag_ends_.back().sequence = last;
  if (last == 0) tag_ends_.clear();
}

absl::Status SegmentLog::cut_files(RecordId last) {
  uint64_t next = last.sequence + 1;
  size_t kept = segments_.size();
  while (segments_[kept - 1].header.first > next) --kept;
  auto copied = copy_front(files_, options_.place, segments_[kept - 1], last);
  if (!copied.ok()) {
    const absl::Status& why = copied.status();
    return absl::IsResourceExhausted(why) || absl::IsDataLoss(why) ? why : fail(why);
  }
  // Readers leave what goes before it does.
  index_->cut(next, segments_[kept - 1].bytes);
  if (absl::Status put = put_front(kept, *std::move(copied)); !put.ok()) return fail(put);
  written_ = durable_ = next;
  return absl::OkStatus();
}

/// Leaves `kept` segments, the last of them in its new file.
absl::Status SegmentLog::put_front(size_t kept, SegmentFile front) {
  file_ = nullptr;
  // One after the other: a crash must not bring back a younger one without an older one.
  while (segments_.size() > kept) {
    if (absl::Status gone = remove_segment(segments_.back()); !gone.ok()) return gone;
    segments_.pop_back();
    bytes_before_ -= segments_.back().bytes;
  }
  absl::Status named = name_segment_file(files_, options_.place, front.header.first);
  if (!named.ok()) return named;
  segments_.back() = std::move(front);
  auto file = files_.open_append(segments_.back().path);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  synced_ = true;
  return absl::OkStatus();
}

/// Lasts when the call returns.
absl::Status SegmentLog::remove_segment(const SegmentFile& segment) {
  if (absl::Status removed = files_.remove_large(segment.path); !removed.ok()) return removed;
  return files_.sync_directory(options_.place.directory);
}

absl::Status SegmentLog::restart_behind(RecordId at) {
  if (!failed_.ok()) return failed_;
  return begin_anew(at);
}

/// What stands there, if anything, goes.
absl::Status SegmentLog::begin_anew(RecordId behind) {
  SegmentHeader header{options_.place.kind, options_.new_id(), behind.sequence + 1, behind.tag};
  auto unnamed = begin_segment_file(files_, options_.place, header);
  absl::Status lasts = unnamed.ok() ? (*unnamed)->sync() : unnamed.status();
  if (!lasts.ok()) {
    drop_segment_file(files_, options_.place, header.first);
    return absl::IsResourceExhausted(lasts) ? lasts : fail(lasts);
  }
  file_ = nullptr;
  if (index_ != nullptr) index_->end();
  // The youngest first: what a crash leaves has no gap.
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    if (absl::Status gone = remove_segment(*segment); !gone.ok()) return fail(gone);
  }
  absl::Status named = name_segment_file(files_, options_.place, header.first);
  if (!named.ok()) return fail(named);
  std::string path = options_.place.segment_path(header.first);
  auto file = files_.open_append(path);
  if (!file.ok()) return fail(file.status());
  file_ = *std::move(file);
  segments_ = {{path, kSegmentHeaderBytes, header}};
  bytes_before_ = 0;
  gathered_.clear();
  write_failed_ = false;
  synced_ = true;
  next_ = written_ = durable_ = header.first;
  last_tag_ = behind.tag;
  tag_ends_.clear();
  if (behind.sequence > 0) note_tag(behind);
  make_index();
  return absl::OkStatus();
}

}  // namespace pollux
