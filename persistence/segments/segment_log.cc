#include "persistence/segments/segment_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace pollux {

absl::Status SegmentLog::append(uint32_t count, uint64_t tag, WritePayload write_payload) {
  if (!failed_.ok()) return failed_;
  POLLUX_CHECK(count > 0);
  POLLUX_CHECK(tag >= last_tag_);
  if (write_failed_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.place.directory,
                     ": the disk was full and what came before is not "
                     "written yet"));
  }
  bool full = file_ == nullptr || segments_.back().bytes >= options_.segment_bytes;
  if (full && gathered_.empty()) {
    if (absl::Status begun = begin_segment(); !begun.ok()) return begun;
  }
  bool new_segment = gathered_.empty() && segments_.back().bytes == kSegmentHeaderBytes;
  size_t begin = begin_frame(gathered_);
  absl::Status written = write_payload(gathered_, new_segment);
  size_t payload = gathered_.size() - begin - kFrameHeaderBytes;
  if (written.ok() && payload > kFramePayloadBytesMax) {
    written = absl::ResourceExhaustedError(
        absl::StrCat("a record of ", payload, " bytes; it may have ", kFramePayloadBytesMax));
  }
  if (!written.ok()) {
    gathered_.resize(begin);
    return written;
  }
  end_frame(id(), {FrameKind::kRecord, count, next_, tag, durable_, {}}, begin, gathered_);
  next_ += count;
  last_tag_ = tag;
  note_tag({next_ - 1, tag});
  return absl::OkStatus();
}

absl::Status SegmentLog::flush() {
  if (!failed_.ok() || gathered_.empty()) return failed_;
  absl::Status written = write(gathered_);
  write_failed_ = !written.ok();
  if (written.ok()) written_ = next_;
  return written;
}

absl::Status SegmentLog::sync() {
  if (absl::Status written = flush(); !written.ok()) return written;
  return sync_file();
}

absl::Status SegmentLog::sync_file() {
  if (!synced_) {
    if (absl::Status lasts = file_->sync(); !lasts.ok()) return fail(lasts);
    synced_ = true;
  }
  durable_ = written_;
  return absl::OkStatus();
}

void SegmentLog::let_read(uint64_t sequence) {
  POLLUX_CHECK(gathered_.empty() || sequence < next_);
  index_->grow(segments_.back().bytes, sequence);
}

absl::Status SegmentLog::close() {
  if (absl::Status lasts = sync(); !lasts.ok()) return lasts;
  if (file_ == nullptr) return absl::OkStatus();
  add_mark();
  return sync();
}

absl::Status SegmentLog::trim(uint64_t sequence) {
  if (!failed_.ok()) return failed_;
  while (segments_.size() > 1 && segments_[1].header.first <= sequence) {
    const SegmentFile& oldest = segments_.front();
    index_->remove_first();
    if (absl::Status removed = files_.remove_large(oldest.path); !removed.ok()) {
      index_->put_back_first({oldest.header.first, oldest.path, oldest.bytes});
      return removed;
    }
    bytes_before_ -= oldest.bytes;
    segments_.erase(segments_.begin());
    // One after the other: a crash must not bring back an older one without a younger one.
    if (absl::Status lasts = files_.sync_directory(options_.place.directory); !lasts.ok()) {
      return fail(lasts);
    }
    std::erase_if(tag_ends_, [&](const RecordId& end) { return end.sequence + 1 < first(); });
  }
  return absl::OkStatus();
}

/// `last` follows all that are noted.
void SegmentLog::note_tag(RecordId last) {
  if (tag_ends_.empty() || tag_ends_.back().tag != last.tag) {
    tag_ends_.push_back(last);
  } else {
    tag_ends_.back().sequence = last.sequence;
  }
}

void SegmentLog::add_mark() {
  size_t begin = begin_frame(gathered_);
  end_frame(id(), {FrameKind::kMark, 0, durable_, last_tag_, durable_, {}}, begin, gathered_);
}

absl::Status SegmentLog::begin_segment() {
  if (file_ != nullptr) {
    if (absl::Status lasts = sync(); !lasts.ok()) return lasts;
    add_mark();
    absl::Status ended = sync();
    if (!ended.ok()) {
      gathered_.clear();  // nothing but the mark
      write_failed_ = false;
      return ended;
    }
    file_ = nullptr;
  }
  auto made = create_segment(files_, options_.place, {options_.place.kind, id(), next_, last_tag_});
  if (!made.ok()) {
    return absl::IsResourceExhausted(made.status()) ? made.status() : fail(made.status());
  }
  auto file = files_.open_append(made->path);
  if (!file.ok()) return fail(file.status());
  file_ = *std::move(file);
  bytes_before_ += segments_.back().bytes;
  index_->add({made->header.first, made->path, made->bytes});
  segments_.push_back(*std::move(made));
  return absl::OkStatus();
}

/// Empties `bytes` when they are in the file; when the disk is full the file is as it was before.
absl::Status SegmentLog::write(std::string& bytes) {
  SegmentFile& last = segments_.back();
  synced_ = false;
  absl::Status written = file_->append(bytes);
  if (written.ok()) {
    last.bytes += bytes.size();
    bytes.clear();
    return written;
  }
  if (!absl::IsResourceExhausted(written)) return fail(written);
  file_ = nullptr;
  if (absl::Status cut = files_.truncate(last.path, last.bytes); !cut.ok()) return fail(cut);
  auto again = files_.open_append(last.path);
  if (!again.ok()) return fail(again.status());
  file_ = *std::move(again);
  return written;
}

/// What can be tried again is never told as an error that is for ever.
absl::Status SegmentLog::fail(const absl::Status& status) {
  failed_ = absl::IsResourceExhausted(status) ? absl::InternalError(status.message()) : status;
  return failed_;
}

}  // namespace pollux
