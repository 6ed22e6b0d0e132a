// How a SegmentLog opens: over what a process that ended anyhow has left.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/segments/segment_log.h"

namespace pollux {

absl::StatusOr<std::unique_ptr<SegmentLog>> SegmentLog::open(FileSystem& files,
                                                             const SegmentLogOptions& options) {
  const std::string& directory = options.place.directory;
  if (absl::Status made = files.make_directories(directory); !made.ok()) return made;
  auto lock = files.lock(options.place.lock_path());
  if (!lock.ok()) return lock.status();
  std::unique_ptr<SegmentLog> log(new SegmentLog(files, options, *std::move(lock)));
  // Names that a killed process made may not last yet.
  if (absl::Status lasts = files.sync_directory(directory); !lasts.ok()) return lasts;
  if (absl::Status recovered = log->recover(); !recovered.ok()) return recovered;
  log->durable_ = log->next_;
  log->index_ = std::make_shared<SegmentIndex>(log->segments_.front().header.id);
  for (const SegmentFile& segment : log->segments_) {
    log->index_->add({segment.header.first, segment.path, segment.bytes});
  }
  log->let_read(log->next_);
  return log;
}

absl::Status SegmentLog::recover() {
  absl::Status tidied = remove_unfinished_segments(files_, options_.place);
  if (!tidied.ok()) return tidied;
  auto found = list_segments(files_, options_.place);
  if (!found.ok()) return found.status();
  segments_ = *std::move(found);
  if (segments_.empty()) return begin_anew();
  if (absl::Status whole = check_earlier_segments(); !whole.ok()) return whole;
  if (absl::Status whole = recover_last_segment(); !whole.ok()) return whole;
  // Numbers at or below what is covered must not come twice.
  return next_ <= options_.covered.sequence ? begin_anew() : absl::OkStatus();
}

/// A segment that another one follows was ended with a mark; without it every frame is looked at.
absl::Status SegmentLog::check_earlier_segments() {
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    const SegmentFile& segment = segments_[i];
    uint64_t end = segments_[i + 1].header.first;
    bytes_before_ += segment.bytes;
    auto file = files_.open_read(segment.path);
    if (!file.ok()) return file.status();
    uint64_t mark_at = segment.bytes - std::min<uint64_t>(segment.bytes, kFrameHeaderBytes);
    auto mark = (*file)->read(mark_at, kFrameHeaderBytes);
    if (!mark.ok()) return mark.status();
    LogFrameHeader header;
    if (mark->size() == kFrameHeaderBytes &&
        decode_frame_header(segment.header.id, *mark, header) &&
        header.frame.kind == FrameKind::kMark && header.frame.sequence == end) {
      continue;
    }
    auto survey = survey_segment(**file, segment.header, end);
    if (!survey.ok()) return survey.status();
    if (absl::Status told = note_rot(segment.path, survey->rot); !told.ok()) return told;
  }
  return absl::OkStatus();
}

absl::Status SegmentLog::recover_last_segment() {
  SegmentFile& last = segments_.back();
  auto file = files_.open_read(last.path);
  if (!file.ok()) return file.status();
  auto survey = survey_segment(**file, last.header);
  if (!survey.ok()) return survey.status();
  if (absl::Status told = note_rot(last.path, survey->rot); !told.ok()) return told;
  if (survey->torn_bytes > 0) {
    report_.torn_bytes = survey->torn_bytes;
    report_.torn_file = last.path;
    absl::Status cut = files_.truncate(last.path, survey->whole_bytes);
    if (!cut.ok()) return cut;
  }
  last.bytes = survey->whole_bytes;
  next_ = survey->next;
  last_tag_ = survey->tag;
  return write_again(**file, *survey);
}

absl::Status SegmentLog::write_again(const ReadFile& file, const Survey& survey) {
  SegmentFile& last = segments_.back();
  auto opened = files_.open_append(last.path);
  if (!opened.ok()) return opened.status();
  file_ = *std::move(opened);
  if (survey.unproven.empty()) return absl::OkStatus();
  for (const Survey::Unproven& frame : survey.unproven) {
    auto bytes = file.read(frame.offset, frame.bytes);
    if (!bytes.ok()) return bytes.status();
    if (absl::Status written = file_->append(*bytes); !written.ok()) return written;
    last.bytes += frame.bytes;
  }
  if (absl::Status lasts = file_->sync(); !lasts.ok()) return lasts;
  report_.written_again = survey.unproven.size();
  // Without this mark every start would write them again.
  std::string mark;
  end_frame(last.header.id, {FrameKind::kMark, 0, next_, last_tag_, next_, {}}, begin_frame(mark),
            mark);
  if (absl::Status written = file_->append(mark); !written.ok()) return written;
  last.bytes += mark.size();
  synced_ = false;
  return absl::OkStatus();
}

/// What stands there, if anything, is covered, and ends too early to go on with.
absl::Status SegmentLog::begin_anew() {
  file_ = nullptr;
  for (const SegmentFile& segment : segments_) {
    if (absl::Status removed = files_.remove(segment.path); !removed.ok()) return removed;
    absl::Status lasts = files_.sync_directory(options_.place.directory);
    if (!lasts.ok()) return lasts;
  }
  segments_.clear();
  bytes_before_ = 0;
  next_ = options_.covered.sequence + 1;
  last_tag_ = options_.covered.tag;
  report_.made_new = true;
  auto made = create_segment(files_, options_.place,
                             {options_.place.kind, options_.new_id(), next_, last_tag_});
  if (!made.ok()) return made.status();
  auto file = files_.open_append(made->path);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  segments_.push_back(*std::move(made));
  return absl::OkStatus();
}

absl::Status SegmentLog::note_rot(const std::string& path, const std::vector<Rot>& rot) {
  for (const Rot& one : rot) {
    if (one.to > options_.covered.sequence + 1) {
      return absl::DataLossError(absl::StrCat(path, ": records ", one.from, " to ", one.to - 1,
                                              " have rotted, at byte ", one.offset));
    }
    report_.rot.push_back({path, one});
  }
  return absl::OkStatus();
}

}  // namespace pollux
