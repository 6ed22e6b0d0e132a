#include "persistence/segments/segment_copy.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "persistence/segments/segment_scanner.h"

namespace pollux {
namespace {

constexpr size_t kBytesAtOnce = 1 << 20;

/// Writes frames behind each other, many at a time.
class FrameWriter {
 public:
  FrameWriter(AppendFile& file, const LogId& id) : file_(file), id_(id) {}

  absl::Status add(const LogFrame& frame) {
    size_t begin = begin_frame(bytes_);
    bytes_ += frame.payload;
    end_frame(id_, frame, begin, bytes_);
    return bytes_.size() < kBytesAtOnce ? absl::OkStatus() : write();
  }
  absl::Status finish() {
    absl::Status written = write();
    return written.ok() ? file_.sync() : written;
  }

 private:
  absl::Status write() {
    absl::Status written = file_.append(bytes_);
    bytes_.clear();
    return written;
  }

  AppendFile& file_;
  const LogId id_;
  std::string bytes_;
};

/// What a start wrote once more is passed over, and so is what it wrote once more because it could
/// not be read: the record stands further back. Returns the sequence behind the last one.
absl::StatusOr<uint64_t> copy_records(const ReadFile& from, const SegmentHeader& header,
                                      uint64_t end, FrameWriter& to) {
  uint64_t next = header.first;
  SegmentScanner scanner(from, header.id);
  while (next < end) {
    auto step = scanner.next();
    if (step.ok() && *step == ScanStep::kBad) step = scanner.find_next();
    if (!step.ok()) return step.status();
    if (*step == ScanStep::kEnd) break;
    const LogFrame& frame = scanner.frame();
    if (frame.kind != FrameKind::kRecord || frame.sequence != next) continue;
    if (absl::Status added = to.add(frame); !added.ok()) return added;
    next += frame.count;
  }
  return next;
}

absl::StatusOr<SegmentFile> try_copy(FileSystem& files, const LogPlace& place,
                                     const SegmentFile& segment, RecordId last) {
  uint64_t next = last.sequence + 1;
  const SegmentHeader& header = segment.header;
  auto from = files.open_read(segment.path);
  if (!from.ok()) return from.status();
  auto file = begin_segment_file(files, place, header);
  if (!file.ok()) return file.status();
  FrameWriter writer(**file, header.id);
  auto copied = copy_records(**from, header, next, writer);
  if (!copied.ok()) return copied.status();
  if (*copied != next) {
    return absl::DataLossError(
        absl::StrCat(segment.path, ": record ", *copied, " cannot be read; nothing was cut"));
  }
  if (next > header.first) {
    LogFrame mark{FrameKind::kMark, 0, next, last.tag, next, {}};
    if (absl::Status added = writer.add(mark); !added.ok()) return added;
  }
  if (absl::Status lasts = writer.finish(); !lasts.ok()) return lasts;
  return SegmentFile{segment.path, (*file)->size(), header};
}

}  // namespace

absl::StatusOr<SegmentFile> copy_front(FileSystem& files, const LogPlace& place,
                                       const SegmentFile& segment, RecordId last) {
  auto copied = try_copy(files, place, segment, last);
  if (!copied.ok()) drop_segment_file(files, place, segment.header.first);
  return copied;
}

}  // namespace pollux
