#include "persistence/segments/segment_survey.h"

#include <algorithm>

#include "persistence/segments/segment_scanner.h"

namespace pollux {
namespace {

/// A whole frame without its payload, and where it stands.
struct Place {
  LogFrame frame;
  uint64_t begin = 0;
  uint64_t end = 0;
};

absl::StatusOr<std::vector<Place>> whole_frames(const ReadFile& file, const LogId& id) {
  std::vector<Place> places;
  SegmentScanner scanner(file, id);
  auto step = scanner.next();
  while (step.ok() && *step != ScanStep::kEnd) {
    if (*step == ScanStep::kBad) {
      step = scanner.find_next();
      continue;
    }
    places.push_back({scanner.frame(), scanner.begin(), scanner.end()});
    places.back().frame.payload = {};
    step = scanner.next();
  }
  if (!step.ok()) return step.status();
  return places;
}

bool is_record(const Place& place) { return place.frame.kind == FrameKind::kRecord; }

/// Whether the record of that sequence stands (again) from place `index` on.
bool stands_behind(const std::vector<Place>& places, size_t index, uint64_t sequence) {
  return std::any_of(places.begin() + static_cast<ptrdiff_t>(index), places.end(),
                     [sequence](const Place& place) {
                       return is_record(place) && place.frame.sequence == sequence;
                     });
}

uint64_t proven_behind(const std::vector<Place>& places, size_t index) {
  uint64_t proven = 0;
  for (; index < places.size(); ++index) proven = std::max(proven, places[index].frame.durable);
  return proven;
}

}  // namespace

absl::StatusOr<Survey> survey_segment(const ReadFile& file, const SegmentHeader& header,
                                      uint64_t end) {
  auto places = whole_frames(file, header.id);
  if (!places.ok()) return places.status();
  Survey survey;
  survey.next = header.first;
  survey.tag = header.tag_before;
  survey.durable = std::max(header.first, end);
  survey.whole_bytes = kSegmentHeaderBytes;
  std::vector<const Place*> taken;
  for (size_t i = 0; i < places->size(); ++i) {
    const Place& place = (*places)[i];
    const LogFrame& frame = place.frame;
    if (frame.sequence > survey.next) {
      // A start writes again what it cannot prove, so what is missing may stand further back.
      if (stands_behind(*places, i, survey.next)) continue;
      if (std::max(proven_behind(*places, i), end) <= survey.next) break;
      survey.rot.push_back({survey.next, frame.sequence, survey.whole_bytes});
      survey.next = frame.sequence;
    }
    survey.durable = std::max(survey.durable, frame.durable);
    survey.whole_bytes = place.end;
    if (!is_record(place) || frame.sequence < survey.next) continue;
    taken.push_back(&place);
    survey.next = frame.sequence + frame.count;
    if (survey.tag_ends.empty() || survey.tag != frame.tag) survey.tag_ends.emplace_back();
    survey.tag_ends.back() = {survey.next - 1, frame.tag};
    survey.tag = frame.tag;
  }
  if (survey.next < end) {
    survey.rot.push_back({survey.next, end, survey.whole_bytes});
    survey.next = end;
  }
  auto size = file.size();
  if (!size.ok()) return size.status();
  survey.torn_bytes = *size - std::min(*size, survey.whole_bytes);
  for (const Place* place : taken) {
    if (place->frame.sequence < survey.durable) continue;
    survey.unproven.push_back({place->begin, place->end - place->begin});
  }
  return survey;
}

}  // namespace pollux
