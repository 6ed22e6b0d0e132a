#include "persistence/segments/log_reader.h"

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

bool is_record(const SegmentScanner& at) { return at.frame().kind == FrameKind::kRecord; }

}  // namespace

absl::StatusOr<std::optional<LogRecord>> LogReader::next() {
  if (!failed_.ok()) return failed_;
  while (true) {
    SegmentIndex::Reach reach = index_->reach(cuts_seen_);
    if (absl::Status same = follow_cuts(reach); !same.ok()) return failed_ = same;
    if (next_ >= reach.readable) return std::nullopt;
    absl::Status found;
    if (scanner_ == nullptr || next_ >= segment_.end) found = open_segment();
    if (found.ok()) found = find_record();
    // What was found meanwhile may be of what was cut meanwhile, or missing because of that.
    if (index_->reach(cuts_seen_).cuts != cuts_seen_) continue;
    if (!found.ok()) return failed_ = found;
    const LogFrame& frame = scanner_->frame();
    next_ = frame.sequence + frame.count;
    bool new_segment = segment_.place.path != shown_path_;
    if (new_segment) shown_path_ = segment_.place.path;
    return LogRecord{frame.sequence, frame.count, frame.tag, frame.payload, new_segment};
  }
}

absl::Status LogReader::follow_cuts(const SegmentIndex::Reach& reach) {
  if (reach.over) return absl::OutOfRangeError("the log was dropped, and begun anew");
  if (reach.cuts == cuts_seen_) return absl::OkStatus();
  cuts_seen_ = reach.cuts;
  scanner_ = nullptr;
  if (next_ <= from_) {
    // What stands before `from` may have changed, and payloads lean on it.
    next_ = from_;
    shown_path_.clear();
  } else if (next_ > reach.lowest_cut) {
    return absl::AbortedError(
        absl::StrCat("records from ", reach.lowest_cut, " on were cut after they had been read"));
  }
  return absl::OkStatus();
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
    scanner_ = nullptr;
    file_ = *std::move(file);
    scanner_ = std::make_unique<SegmentScanner>(*file_, index_->id());
    if (shown_path_.empty()) next_ = segment_.place.first;
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
