// Two places where results go: a webhook, which takes whatever comes, and a store, which takes a
// transaction only from where its progress stands and under the highest epoch it has seen.
// Thread: one.
#pragma once

#include <optional>
#include <vector>

#include "tests/ha/sim/witness.h"

namespace pollux {

/// The entries of a journal. Those that it has trimmed were committed, and are not void.
struct HeldEntries {
  EpochHistory history;
  Position first;
  bool has(EntryId id) const { return id.position < first || history.holds(id); }
};

class SimStore {
 public:
  SimStore(Witness& witness, bool checks_progress)
      : witness_(witness), checks_progress_(checks_progress) {}

  /// The fence is raised, and the progress told; nothing: a later lead has raised it further.
  std::optional<PlanRow> raise(Epoch epoch) {
    if (epoch < fence_) return std::nullopt;
    fence_ = epoch;
    return progress_;
  }
  struct Transaction {
    Epoch epoch;
    PlanRow before;  ///< the progress that it moves on from
    std::vector<SimRow> rows;
  };
  /// Rows of entries that are not held are void since a lead was forced; the progress
  /// behind it.
  std::optional<PlanRow> roll_back(Epoch epoch, const PlanRow& before, const HeldEntries& held) {
    if (epoch != fence_ || before != progress_) return std::nullopt;
    while (!ids_.empty() && !held.has(ids_.back().cause)) ids_.pop_back();
    progress_ = ids_.empty() ? PlanRow{} : ids_.back();
    witness_.store_rolled_back(progress_);
    return progress_;
  }
  /// The progress behind it; nothing: it was refused, and nothing was done.
  std::optional<PlanRow> write(const Transaction& transaction) {
    if (transaction.epoch != fence_) return std::nullopt;
    if (checks_progress_ && transaction.before != progress_) return std::nullopt;
    for (const SimRow& row : transaction.rows) {
      witness_.at_store(row);
      ids_.push_back(row.id);
    }
    progress_ = transaction.rows.back().id;
    return progress_;
  }

 private:
  Witness& witness_;
  const bool checks_progress_;
  Epoch fence_;
  PlanRow progress_;
  std::vector<PlanRow> ids_;
};

}  // namespace pollux
