#include "persistence/journal/journal_survey.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/record.h"
#include "persistence/segments/segment_files.h"
#include "persistence/segments/segment_scanner.h"

namespace pollux {
namespace {

absl::StatusOr<std::vector<SegmentGlance>> glance(FileSystem& files, const std::string& directory) {
  auto glances = glance_at_segments(files, {directory, LogKind::kJournal});
  if (!glances.ok()) return glances;
  if (glances->empty()) return absl::NotFoundError(absl::StrCat(directory, ": no journal is here"));
  return glances;
}

/// The entry in a frame's payload, behind the schemas that it brings along.
RecordFrame record_of(std::string_view payload) {
  RecordFrame record = read_frame(payload);
  while (record.state == FrameState::kWhole && record.header.type == RecordType::kSchema) {
    payload.remove_prefix(record.bytes);
    record = read_frame(payload);
  }
  return record;
}

/// Takes the entries of a segment, in any order, each once.
class EntryCounter {
 public:
  explicit EntryCounter(JournalSegment& segment) : segment_(segment) {}

  void take(const LogFrame& frame) {
    // What a start wrote once more stands there for the second time.
    if (frame.kind != FrameKind::kRecord || !seen_.insert(frame.sequence).second) return;
    EntryId id{{frame.tag}, {frame.sequence}};
    bool first = segment_.entries++ == 0;
    if (first || id < segment_.first_entry) segment_.first_entry = id;
    if (first || id > segment_.last_entry) segment_.last_entry = id;
    RecordFrame record = record_of(frame.payload);
    if (record.state != FrameState::kWhole) {
      ++segment_.unknown;
      return;
    }
    Timestamp time = record.header.timestamp;
    bool first_known = segment_.entries - segment_.unknown == 1;
    segment_.first_time = first_known ? time : std::min(segment_.first_time, time);
    segment_.last_time = first_known ? time : std::max(segment_.last_time, time);
  }

 private:
  JournalSegment& segment_;
  std::unordered_set<uint64_t> seen_;
};

absl::Status count_entries(const ReadFile& file, const Survey& survey, JournalSegment& segment) {
  EntryCounter counter(segment);
  SegmentScanner scanner(file, segment.journal);
  auto step = scanner.next();
  while (step.ok() && *step != ScanStep::kEnd) {
    if (*step == ScanStep::kFrame && scanner.end() > survey.whole_bytes) break;
    if (*step == ScanStep::kBad) {
      step = scanner.find_next();
      continue;
    }
    const LogFrame& frame = scanner.frame();
    segment.sealed = frame.kind == FrameKind::kMark && frame.sequence == survey.next;
    counter.take(frame);
    step = scanner.next();
  }
  return step.status();
}

absl::Status look_into(FileSystem& files, uint64_t end, const SegmentHeader& header,
                       JournalSegment& segment) {
  auto file = files.open_read(segment.path);
  if (!file.ok()) return file.status();
  auto survey = survey_segment(**file, header, end);
  if (!survey.ok()) return survey.status();
  segment.journal = header.id;
  segment.torn_bytes = survey->torn_bytes;
  segment.rot = survey->rot;
  return count_entries(**file, *survey, segment);
}

}  // namespace

absl::StatusOr<std::vector<JournalSegment>> survey_journal(FileSystem& files,
                                                           const std::string& directory) {
  auto glances = glance(files, directory);
  if (!glances.ok()) return glances.status();
  std::vector<JournalSegment> segments;
  for (size_t i = 0; i < glances->size(); ++i) {
    const SegmentGlance& seen = (*glances)[i];
    JournalSegment segment;
    segment.path = seen.path;
    segment.first = {seen.first};
    segment.bytes = seen.bytes;
    segment.status = seen.header.status();
    if (seen.header.ok()) {
      uint64_t end = i + 1 < glances->size() ? (*glances)[i + 1].first : 0;
      absl::Status looked = look_into(files, end, *seen.header, segment);
      if (absl::IsNotFound(looked)) continue;  // trimmed meanwhile
      if (!looked.ok()) return looked;
    }
    segments.push_back(std::move(segment));
  }
  return segments;
}

absl::StatusOr<std::shared_ptr<const SegmentIndex>> index_journal(FileSystem& files,
                                                                  const std::string& directory,
                                                                  Position from) {
  auto glances = glance(files, directory);
  if (!glances.ok()) return glances.status();
  size_t begin = 0;
  while (begin + 1 < glances->size() && (*glances)[begin + 1].first <= from.value) ++begin;
  std::shared_ptr<SegmentIndex> index;
  for (size_t i = begin; i < glances->size(); ++i) {
    const SegmentGlance& seen = (*glances)[i];
    if (!seen.header.ok()) return seen.header.status();
    if (index == nullptr) index = std::make_shared<SegmentIndex>(seen.header->id);
    index->add({seen.first, seen.path, seen.bytes});
  }
  const SegmentGlance& last = glances->back();
  auto file = files.open_read(last.path);
  if (!file.ok()) return file.status();
  auto survey = survey_segment(**file, *last.header);
  if (!survey.ok()) return survey.status();
  index->grow(last.bytes, survey->next);
  return std::shared_ptr<const SegmentIndex>(std::move(index));
}

}  // namespace pollux
