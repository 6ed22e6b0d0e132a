// How a SegmentLog opens: over what a process that ended anyhow has left.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/segments/segment_log.h"

namespace pollux {
namespace {

/// Whether it says at its end that everything below `end` has lasted.
absl::StatusOr<bool> ends_with_mark(const ReadFile& file, const SegmentFile& segment,
                                    uint64_t end) {
  uint64_t mark_at = segment.bytes - std::min<uint64_t>(segment.bytes, kFrameHeaderBytes);
  auto mark = file.read(mark_at, kFrameHeaderBytes);
  if (!mark.ok()) return mark.status();
  LogFrameHeader header;
  return mark->size() == kFrameHeaderBytes &&
         decode_frame_header(segment.header.id, *mark, header) &&
         header.frame.kind == FrameKind::kMark && header.frame.sequence == end;
}

}  // namespace

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
  log->written_ = log->durable_ = log->next_;
  log->make_index();
  return log;
}

/// All that stands there may be read.
void SegmentLog::make_index() {
  index_ = std::make_shared<SegmentIndex>(segments_.front().header.id);
  for (const SegmentFile& segment : segments_) {
    index_->add({segment.header.first, segment.path, segment.bytes});
  }
  let_read(next_);
}

absl::Status SegmentLog::recover() {
  absl::Status tidied = remove_unfinished_segments(files_, options_.place);
  if (!tidied.ok()) return tidied;
  auto found = list_segments(files_, options_.place);
  if (!found.ok()) return found.status();
  segments_ = *std::move(found);
  report_.made_new = segments_.empty();
  if (report_.made_new) return begin_anew(options_.covered);
  const SegmentHeader& oldest = segments_.front().header;
  if (oldest.first > 1) note_tag({oldest.first - 1, oldest.tag_before});
  if (absl::Status whole = check_earlier_segments(); !whole.ok()) return whole;
  if (absl::Status whole = recover_last_segment(); !whole.ok()) return whole;
  // Numbers at or below what is covered must not come twice.
  report_.made_new = next_ <= options_.covered.sequence;
  return report_.made_new ? begin_anew(options_.covered) : absl::OkStatus();
}

absl::Status SegmentLog::check_earlier_segments() {
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    bytes_before_ += segments_[i].bytes;
    const SegmentHeader& behind = segments_[i + 1].header;
    absl::Status whole = check_segment(segments_[i], {behind.first - 1, behind.tag_before});
    if (!whole.ok()) return whole;
  }
  return absl::OkStatus();
}

/// A segment that another one follows was ended with a mark. Every frame is looked at where there
/// is none, or to find where the tag changes. `last`: the record before the next segment.
absl::Status SegmentLog::check_segment(const SegmentFile& segment, RecordId last) {
  auto file = files_.open_read(segment.path);
  if (!file.ok()) return file.status();
  auto marked = ends_with_mark(**file, segment, last.sequence + 1);
  if (!marked.ok()) return marked.status();
  if (!*marked || segment.header.tag_before != last.tag) {
    auto survey = survey_segment(**file, segment.header, last.sequence + 1);
    if (!survey.ok()) return survey.status();
    // Before a mark rot is told to who reads it.
    absl::Status told = *marked ? absl::OkStatus() : note_rot(segment.path, survey->rot);
    if (!told.ok()) return told;
    for (const RecordId& one : survey->tag_ends) note_tag(one);
  }
  note_tag(last);
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
  for (const RecordId& one : survey->tag_ends) note_tag(one);
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
