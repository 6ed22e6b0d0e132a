// What must be true of a pair, seen from outside: the committed history as everybody has seen it,
// what was acknowledged, and what came to the sinks. Invariants are those of the pair protocol.
// Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/entry.h"
#include "ha/pair/epoch_history.h"
#include "persistence/outbox/last_ids.h"
#include "tests/ha/sim/sim_network.h"
#include "tests/persistence/sim/model.h"

namespace pollux {

/// A result as a sink sees it.
struct SimRow {
  PlanRow id;
  uint64_t content = 0;
};

class Witness {
 public:
  // ---- the pair ----

  /// I0, I1, I6: nobody has led in this epoch, and who leads now holds all that is committed.
  void lead_began(Place node, Epoch epoch, const EpochHistory& journal);
  /// I2: the entries of `journal` up to here are committed.
  void committed(const EpochHistory& journal, Position upto);
  /// I5: whoever is in sync holds all that is committed, lasting.
  void in_sync_holds(const EpochHistory& journal, Position durable) const;
  /// Equal positions have equal entries, of what is applied.
  void applied(const Entry& entry);
  /// Equal positions have equal states, unless a node was made to differ.
  void state_at(EntryId at, uint64_t hash);

  void expect_divergence() { states_differ_ = true; }

  /// By order of the operator this journal is the truth: what was committed beyond it is lost.
  void forced(const EpochHistory& journal);

  /// Whether that journal has entries that were committed, and are not any more.
  bool holds_void(const EpochHistory& journal) const;

  // ---- the world outside ----

  /// P1: what is acknowledged is committed.
  void acknowledged(const std::string& producer, uint64_t number, EntryId entry);
  /// I3, I4, P3: at the sink without a key, from the lead of `epoch`.
  void at_webhook(Place node, Epoch epoch, const SimRow& row);
  /// I3s, I4s: written by a transaction at the sink with a key.
  void at_store(const SimRow& row);

  /// The store has taken back what is behind that row.
  void store_rolled_back(const PlanRow& to);
  /// Once all is quiet: nothing acknowledged is lost or doubled, and both sinks have exactly the
  /// results of an engine that has taken the committed entries in order.
  void judge() const;

  const EpochHistory& history() const { return history_; }
  uint64_t entries() const { return history_.last().position.value; }
  uint64_t rows() const { return webhook_.size(); }
  uint64_t repeated_rows() const { return repeated_rows_; }

 private:
  void check_committed(const SimRow& row, const char* sink) const;
  bool is_void(EntryId entry) const;

  EpochHistory history_;              // what is committed
  std::vector<EpochHistory> voided_;  // what was, before a lead was forced
  std::set<uint64_t> epochs_;
  std::map<uint64_t, uint64_t> lead_tails_;  // by epoch, what it began with
  std::vector<Entry> entries_;               // that were applied, from position 1 on
  std::vector<uint64_t> prints_;
  std::map<EntryId, uint64_t> states_;
  bool states_differ_ = false;
  std::map<std::pair<std::string, uint64_t>, EntryId> acknowledged_;
  std::vector<SimRow> webhook_;  // as they first came
  std::map<PlanRow, uint64_t> contents_;
  PlanRow webhook_void_;  // the last that came of entries that are void now
  std::vector<SimRow> store_;
  uint64_t repeated_rows_ = 0;
};

}  // namespace pollux
