#include "persistence/segments/log_reader.h"

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

bool is_record(const SegmentScanner& at) { return at.frame().kind == FrameKind::kRecord; }

}  // namespace

absl::StatusOr<std::optional<LogRecord>> LogReader::next() {
  if (!failed_.ok()) return failed_;
  if (next_ >= index_->readable()) return std::nullopt;
  bool new_segment = scanner_ == nullptr || next_ >= segment_.end;
  if (new_segment) {
    std::string before = segment_.place.path;
    if (absl::Status opened = open_segment(); !opened.ok()) return failed_ = opened;
    new_segment = segment_.place.path != before;
  }
  if (absl::Status found = find_record(); !found.ok()) return failed_ = found;
  const LogFrame& frame = scanner_->frame();
  next_ = frame.sequence + frame.count;
  return LogRecord{frame.sequence, frame.count, frame.tag, frame.payload, new_segment};
}

/// The segment of `next_`; the one that is open when it has only grown.
absl::Status LogReader::open_segment() {
  while (true) {
    auto found = index_->find(next_);
    if (!found) {
      return absl::OutOfRangeError(absl::StrCat("record ", next_, " has been trimmed"));
    }
    bool grown = scanner_ != nullptr && found->place.path == segment_.place.path;
    segment_ = *std::move(found);
    if (grown) return absl::OkStatus();
    auto file = files_.open_read(segment_.place.path);
    if (absl::IsNotFound(file.status())) {
      auto still = index_->find(next_);
      if (!still || still->place.path != segment_.place.path) continue;  // trimmed meanwhile
    }
    if (!file.ok()) return file.status();
    bool begins = scanner_ == nullptr;
    scanner_ = nullptr;
    file_ = *std::move(file);
    scanner_ = std::make_unique<SegmentScanner>(*file_, index_->id());
    if (begins) next_ = segment_.place.first;
    return absl::OkStatus();
  }
}

absl::Status LogReader::find_record() {
  while (true) {
    auto step = scanner_->next();
    if (!step.ok()) return step.status();
    if (*step != ScanStep::kFrame) return find_behind();
    // Marks, and what a start wrote once more, are passed over.
    if (!is_record(*scanner_) || scanner_->frame().sequence < next_) continue;
    return scanner_->frame().sequence == next_ ? absl::OkStatus() : find_behind();
  }
}

/// What should follow does not stand here. It may stand once more further back; else it has rotted,
/// which does no harm to those who asked only for later ones.
absl::Status LogReader::find_behind() {
  uint64_t offset = scanner_->end();
  if (is_record(*scanner_) && scanner_->frame().sequence > next_) offset = scanner_->begin();
  SegmentScanner ahead = *scanner_;
  std::unique_ptr<SegmentScanner> later;
  while (true) {
    const LogFrame& frame = ahead.frame();
    if (is_record(ahead) && frame.sequence == next_) {
      scanner_ = std::make_unique<SegmentScanner>(std::move(ahead));
      return absl::OkStatus();
    }
    if (is_record(ahead) && later == nullptr && frame.sequence > next_ && frame.sequence <= from_) {
      later = std::make_unique<SegmentScanner>(ahead);
    }
    auto step = ahead.next();
    if (step.ok() && *step == ScanStep::kBad) step = ahead.find_next();
    if (!step.ok()) return step.status();
    if (*step == ScanStep::kEnd) break;
  }
  if (later == nullptr) {
    return absl::DataLossError(
        absl::StrCat(segment_.place.path, ": record ", next_, " has rotted, at byte ", offset));
  }
  scanner_ = std::move(later);
  next_ = scanner_->frame().sequence;
  return absl::OkStatus();
}

}  // namespace pollux
