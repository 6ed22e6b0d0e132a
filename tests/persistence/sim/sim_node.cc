#include "tests/persistence/sim/sim_node.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace pollux {
namespace {

// The state's bytes, and some more, so that a revision takes more than one sector.
constexpr size_t kStateBytes = 1500;

constexpr uint64_t kNoEnd = std::numeric_limits<uint64_t>::max();

std::string encode_state(const ModelState& state) {
  std::string bytes(kStateBytes, '\0');
  std::memcpy(bytes.data(), &state, sizeof(state));
  uint64_t word = state.hash;
  for (size_t at = sizeof(state); at + sizeof(word) <= bytes.size(); at += sizeof(word)) {
    word = word * 6364136223846793005 + 1442695040888963407;
    std::memcpy(bytes.data() + at, &word, sizeof(word));
  }
  return bytes;
}

absl::StatusOr<ModelState> decode_state(std::string_view bytes) {
  ModelState state;
  if (bytes.size() != kStateBytes) return absl::DataLossError("a state of another length");
  std::memcpy(&state, bytes.data(), sizeof(state));
  return state;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SimNode>> SimNode::start(FileSystem& files,
                                                        const SimNodeOptions& options,
                                                        uint64_t confirmed_below) {
  std::unique_ptr<SimNode> node(new SimNode(files, options));
  if (absl::Status recovered = node->recover(confirmed_below); !recovered.ok()) return recovered;
  return node;
}

absl::Status SimNode::recover(uint64_t confirmed_below) {
  if (absl::Status loaded = load_state(); !loaded.ok()) return loaded;
  JournalOptions journal;
  journal.directory = kJournal;
  journal.segment_bytes = options_.segment_bytes;
  journal.bytes_max = options_.journal_bytes_max;
  journal.bytes_reserved = options_.journal_bytes_max / 4;
  journal.covered = state_.at;
  journal.new_id = [this] { return LogId{options_.id_seed, state_.hash}; };
  auto opened = Journal::open(files_, journal);
  if (!opened.ok()) return opened.status();
  journal_ = *std::move(opened);
  read_behind_state();
  if (options_.snapshot && options_.snapshot->at == state_.at) {
    confirmed_below = std::max(confirmed_below, state_.next_result);
  }
  if (absl::Status there = open_outbox(confirmed_below); !there.ok()) return there;
  return apply_until(kNoEnd);
}

void SimNode::read_behind_state() {
  committed_ = std::make_unique<JournalReader>(files_, journal_->index(),
                                               Position{state_.at.position.value + 1});
}

absl::Status SimNode::open_outbox(uint64_t confirmed_below) {
  OutboxOptions outbox;
  outbox.directory = kOutbox;
  outbox.segment_bytes = options_.segment_bytes;
  outbox.confirmed_below = confirmed_below;
  outbox.new_id = [this] { return LogId{options_.id_seed, ~state_.hash}; };
  auto results = OutboxLog::open(files_, outbox);
  if (!results.ok()) return results.status();
  outbox_ = *std::move(results);
  if (outbox_->next() < state_.next_result) {
    throw Violation("results are gone that the state has moved past");
  }
  return absl::OkStatus();
}

absl::Status SimNode::load_state() {
  RevisionStore::Options options;
  options.location = kStates;
  options.folder = "plan";
  auto store = RevisionStore::open(files_, options);
  if (!store.ok()) return store.status();
  revisions_ = *std::move(store);
  auto newest = revisions_->newest_valid();
  if (!newest.ok()) return newest.status();
  passed_over_ = newest->passed_over;
  if (!newest->revision) return absl::OkStatus();
  auto state = decode_state(newest->revision->state());
  if (!state.ok()) return state.status();
  if (state->at != newest->revision->info.header.at) throw Violation("a revision of another time");
  state_ = *state;
  kept_.push_back(state_.at.position.value);
  return absl::OkStatus();
}

absl::Status SimNode::apply_until(uint64_t position) {
  while (true) {
    if (absl::Status placed = place_results(); !placed.ok()) return placed;
    if (state_.at.position.value >= position) return outbox_->flush();
    auto entry = committed_->next();
    if (!entry.ok()) return entry.status();
    if (!*entry) return outbox_->flush();
    apply(**entry);
  }
}

void SimNode::apply(const Entry& entry) {
  uint64_t print = fingerprint(entry);
  uint64_t offset = state_.next_result;
  if (entry.id.position.value != state_.at.position.value + 1) {
    throw Violation("entries are read out of order");
  }
  state_.apply(entry.id, print);
  // A replay makes again what the outbox may still have.
  if (offset < outbox_->next()) return;
  if (offset > outbox_->next()) throw Violation("results are missing in the outbox");
  unplaced_ = results_of(entry.id, print);
}

absl::Status SimNode::place_results() {
  if (!unplaced_) return absl::OkStatus();
  absl::Status placed = outbox_->append(unplaced_->results());
  if (absl::IsResourceExhausted(placed)) {
    // It may be that what was gathered earlier waits to be written.
    if (absl::Status written = outbox_->flush(); !written.ok()) return written;
    placed = outbox_->append(unplaced_->results());
  }
  if (placed.ok()) unplaced_.reset();
  return placed;
}

absl::Status SimNode::commit() {
  if (absl::Status lasts = journal_->commit(); !lasts.ok()) return lasts;
  return apply_until(kNoEnd);
}

/// The state first: a journal that ends before it is begun anew by the next start.
absl::Status SimNode::install(const ModelState& snapshot) {
  state_ = snapshot;
  unplaced_.reset();
  if (absl::Status written = write_revision(); !written.ok()) return written;
  kept_ = {state_.at.position.value};
  if (absl::Status dropped = journal_->restart_behind(state_.at); !dropped.ok()) return dropped;
  read_behind_state();
  outbox_ = nullptr;
  return open_outbox(state_.next_result);
}

absl::Status SimNode::persist(uint64_t confirmed_below) {
  if (absl::Status placed = place_results(); !placed.ok()) return placed;
  // What the state moves past can not be made again.
  if (absl::Status lasts = outbox_->sync(); !lasts.ok()) return lasts;
  if (absl::Status written = write_revision(); !written.ok()) return written;
  if (kept_.empty() || kept_.back() != state_.at.position.value) {
    kept_.push_back(state_.at.position.value);
  }
  if (kept_.size() > 1) {
    Position needed{kept_[kept_.size() - 2] + 1};
    if (absl::Status trimmed = journal_->trim(needed); !trimmed.ok()) return trimmed;
  }
  bool early = options_.mutant == Mutant::kTrimBeforeConfirmed;
  return outbox_->trim(early ? outbox_->next() : confirmed_below);
}

absl::Status SimNode::write_revision() {
  RevisionHeader header;
  header.at = state_.at;
  header.timestamp = {static_cast<int64_t>(state_.at.position.value)};
  if (options_.mutant == Mutant::kPruneBeforeValid) {
    RevisionStore::Options one;
    one.location = kStates;
    one.folder = "plan";
    one.revisions_to_keep = 1;
    auto store = RevisionStore::open(files_, one);
    if (!store.ok()) return store.status();
    if (absl::Status pruned = (*store)->prune(); !pruned.ok()) return pruned;
  }
  auto writer = revisions_->begin(header);
  if (!writer.ok()) return writer.status();
  if (absl::Status written = (*writer)->append(encode_state(state_)); !written.ok()) return written;
  auto finished = (*writer)->finish();
  if (!finished.ok()) return finished.status();
  return revisions_->prune();
}

absl::Status SimNode::close() {
  if (absl::Status closed = journal_->close(); !closed.ok()) return closed;
  return outbox_->close();
}

}  // namespace pollux
