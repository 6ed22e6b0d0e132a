// Bits that turn over while the node is down, and what must come of it.
#include "absl/strings/match.h"
#include "persistence/segments/segment_files.h"
#include "persistence/segments/segment_survey.h"
#include "persistence/state/revision_format.h"
#include "tests/persistence/sim/simulation.h"

namespace pollux {

void Simulation::inject_rot(Fault fault) {
  // It goes down between two operations, or in the middle of writing a revision.
  if (one_in(2)) {
    disk_.crash_after(below(10));
    absl::Status written = persist();
    if (!written.ok() && !disk_.crashed()) return handle(written);
  }
  end(one_in(3) ? Crash::kProcess : Crash::kPower);
  if (fault == Fault::kRotJournal) rot_log(SimNode::kJournal, LogKind::kJournal);
  if (fault == Fault::kRotOutbox) rot_log(SimNode::kOutbox, LogKind::kOutbox);
  if (fault == Fault::kRotRevision) rot_revision();
  start();
}

/// In what has lasted for sure: what has not cannot be told from what was torn.
void Simulation::rot_log(const std::string& directory, LogKind kind) {
  auto segments = list_segments(disk_, {directory, kind});
  if (!segments.ok() || segments->empty()) return;
  size_t chosen = below(segments->size());
  const SegmentFile& segment = (*segments)[chosen];
  uint64_t lasting = segment.bytes;
  if (chosen + 1 == segments->size()) {
    auto file = disk_.open_read(segment.path);
    auto survey = survey_segment(**file, segment.header);
    if (!survey.ok()) return;
    lasting = survey->unproven.empty() ? survey->whole_bytes : survey->unproven.front().offset;
  }
  flip(segment.path, lasting);
}

/// One of the two newest, of which both are whole.
void Simulation::rot_revision() {
  if (whole_.size() < 2) return;
  size_t chosen = below(2);
  std::string directory = std::string(SimNode::kStates) + "/-1234/plan";
  auto entries = disk_.list(directory);
  if (!entries.ok()) return;
  for (const DirectoryEntry& entry : *entries) {
    std::string path = directory + "/" + entry.name;
    std::string bytes = *disk_.content(path);
    auto header = decode_header(std::string_view(bytes).substr(0, kRevisionHeaderBytes));
    if (!header.ok() || header->at.position.value != whole_[chosen]) continue;
    flip(path, entry.bytes);
    flipped_->revision = true;
    whole_.erase(whole_.begin() + static_cast<ptrdiff_t>(chosen));
    return;
  }
}

void Simulation::flip(const std::string& path, uint64_t bytes) {
  flipped_ = Flipped{path, below(bytes * 8)};
  disk_.flip_bit(path, flipped_->bit);
}

/// As if from a copy: nothing else may have changed.
void Simulation::flip_back() {
  ++counts_.rot_told;
  if (disk_.content(flipped_->path)) disk_.flip_bit(flipped_->path, flipped_->bit);
  flipped_.reset();
}

bool Simulation::tells_of_rot(const absl::Status& status) const {
  return flipped_ && !flipped_->revision && absl::IsDataLoss(status) &&
         absl::StrContains(status.message(), flipped_->path);
}

/// The node has started although a bit has turned over: either it tells where that is read, or what
/// it reads is right.
void Simulation::check_rotten_log() {
  if (flipped_->revision) {
    bool told = false;
    for (const absl::Status& why : node_->passed_over()) {
      told |= absl::StrContains(why.message(), flipped_->path);
    }
    if (told) ++counts_.rot_told;
    flipped_.reset();  // it stays rotten
    return;
  }
  absl::Status journal = read_journal();
  absl::Status results = read_results(node_->outbox().first(), nullptr);
  for (const absl::Status& read : {journal, results}) {
    if (!read.ok() && !tells_of_rot(read)) {
      throw Violation("rot is not told with its file: " + read.ToString());
    }
  }
  flip_back();
}

}  // namespace pollux
