// A small node: a journal, the state of one plan, the results of one stream. It does what a server
// does with them, in the order in which a server must. Thread: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "persistence/journal/journal.h"
#include "persistence/journal/journal_reader.h"
#include "persistence/outbox/outbox_log.h"
#include "persistence/state/revision_store.h"
#include "tests/persistence/sim/model.h"
#include "tests/persistence/sim/mutant.h"

namespace pollux {

struct SimNodeOptions {
  uint64_t journal_bytes_max = 256 << 10;
  uint64_t segment_bytes = 6 << 10;
  Mutant mutant = Mutant::kNone;
  uint64_t id_seed = 0;
  /// One that was being installed when the node ended.
  std::optional<ModelState> snapshot = {};
};

class SimNode {
 public:
  static constexpr char kJournal[] = "data/journal";
  static constexpr char kOutbox[] = "data/outboxes/Alerts";
  static constexpr char kStates[] = "data/states";

  /// Recovers: newest valid state, journal from there on, results that are not there yet.
  /// `confirmed_below`: of the results, as who takes them says.
  static absl::StatusOr<std::unique_ptr<SimNode>> start(FileSystem& files,
                                                        const SimNodeOptions& options,
                                                        uint64_t confirmed_below);

  /// Takes an entry; with commit() it lasts, is applied, and its results are let out.
  absl::Status append(const Entry& entry, JournalSpace space = JournalSpace::kOrdinary) {
    return journal_->append(entry, space);
  }
  absl::Status commit();
  /// Everything taken lasts, and is not applied: it may still be cut.
  absl::Status keep() { return journal_->commit(); }
  /// Applies what is kept, up to that position.
  absl::Status apply_until(uint64_t position);
  absl::Status truncate(Position last) { return journal_->truncate(last); }
  /// Goes on behind that state, which is another node's, without the entries that lead to it; the
  /// results of these are the other node's.
  absl::Status install(const ModelState& snapshot);
  /// A revision of the state, after which what no revision needs is trimmed.
  absl::Status persist(uint64_t confirmed_below);
  absl::Status close();

  uint64_t last() const { return journal_->last().position.value; }
  /// Of the entries that are committed.
  const ModelState& state() const { return state_; }
  Journal& journal() { return *journal_; }
  const OutboxLog& outbox() const { return *outbox_; }
  /// Why newer revisions were not used at the start.
  const std::vector<absl::Status>& passed_over() const { return passed_over_; }
  const RevisionStore& revisions() const { return *revisions_; }

 private:
  SimNode(FileSystem& files, const SimNodeOptions& options) : files_(files), options_(options) {}
  absl::Status recover(uint64_t confirmed_below);
  absl::Status load_state();
  absl::Status open_outbox(uint64_t confirmed_below);
  void read_behind_state();
  void apply(const Entry& entry);
  absl::Status place_results();
  absl::Status write_revision();

  FileSystem& files_;
  const SimNodeOptions options_;
  std::unique_ptr<RevisionStore> revisions_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalReader> committed_;
  std::unique_ptr<OutboxLog> outbox_;
  ModelState state_;
  std::optional<SomeResults> unplaced_;  // of the last entry, for which the outbox had no room
  std::vector<absl::Status> passed_over_;
  std::vector<uint64_t> kept_;  // positions of the revisions known to be valid, oldest first
};

}  // namespace pollux
