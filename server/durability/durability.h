// Everything of a node that outlives the process, opened, and the node brought back from it.
//
// In the data directory: `journal/`, `outbox/`, `marks`, and the states of plans in
// `persistence.location`. Who opens it holds the directory's lock. Thread: main opens, recovers and
// closes; the parts have their own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/journal/journal.h"
#include "persistence/poison/apply_marks.h"
#include "persistence/state/revision_store.h"
#include "server/durability/persister.h"
#include "server/durability/start_orders.h"
#include "server/log/logger.h"
#include "server/node/committer.h"
#include "server/node/node.h"
#include "server/settings/settings.h"

namespace pollux {

/// What a start found, for the log, the metrics and /v1/node.
struct RecoveryCounts {
  uint64_t plans = 0;       ///< restored from a state
  uint64_t fallbacks = 0;   ///< newer states that were passed over
  uint64_t lost_plans = 0;  ///< that could not be restored, and stand suspended
  uint64_t entries = 0;     ///< replayed
  uint64_t events = 0;      ///< replayed
  uint64_t torn_bytes = 0;  ///< cut off the journal's end
  uint64_t poisoned = 0;    ///< plans with an entry that processes died of
  uint64_t took_ms = 0;
};

/// The folder of the states of plans.
std::string states_location(const Settings& settings);

class Durability {
 public:
  /// Opens the journal and looks at the states.
  static absl::StatusOr<std::unique_ptr<Durability>> open(FileSystem& files,
                                                          const Settings& settings, Logger& log,
                                                          StartOrders orders);

  // ---- a node of a pair: before equip() ----

  /// The journal as it was opened, which nobody has taken yet.
  const Journal& journal() const { return *journal_; }
  /// To be given to whoever keeps it in common with the other node; entries are to be committed to
  /// `log`, which outlives the node.
  std::unique_ptr<Journal> give_journal(EntryLog& log);
  /// The last entry of which it is known that it was committed: states or results hold it.
  Position known_committed() const {
    return std::max(reached_by_states(), reached_by_results_).position;
  }
  /// What a start applies of that by itself: not what a process died in. Whether it is to be
  /// passed over is known only once the other node is there, or this one leads.
  Position applied_at_start() const;
  /// Outlives the node.
  ApplyMarks& marks() { return *marks_; }
  /// Of the journal's last entry.
  absl::StatusOr<Timestamp> last_timestamp() const;

  ~Durability();

  /// The last epoch that stands in the journal or a state.
  Epoch epoch_seen() const { return epoch_seen_; }
  /// Adds what a node needs to be lasting.
  void equip(NodeOptions& options);
  /// Brings the node back: it has its observers and nothing else yet. Plans have applied all that
  /// the journal has when it returns; on a node of a pair, all that is known to be committed.
  /// kFailedPrecondition: a plan cannot be built, and nobody has
  /// ordered to do without it.
  absl::Status recover(Node& node);
  /// A clean end, before the node's: all states are written, for at most so long.
  void persist_at_end(std::chrono::milliseconds at_most);
  /// The journal is closed. What would still call the node ends here.
  void close();

  const EntryLog& journal_log() const { return *entry_log_; }
  Persister& persister() const { return *persister_; }
  const RecoveryCounts& recovered() const { return recovered_; }

 private:
  /// The states in one folder.
  struct Found {
    std::unique_ptr<RevisionStore> store;
    EntryId newest;  ///< by header; {0, 0} when there is none
  };

  Durability(FileSystem& files, const Settings& settings, Logger& log, StartOrders orders);
  template <class Call>
  void with_node(Call&& call);

  RevisionStore::Options store_options(std::string folder) const;
  absl::StatusOr<std::shared_ptr<ResultLog>> open_log(const SchemaPtr& schema);
  absl::Status look_at_versions() const;
  absl::Status look_at_states();
  absl::Status look_at_folder(const std::string& folder);
  absl::Status read_node_state();
  absl::Status look_at_results();
  absl::Status open_journal();
  absl::StatusOr<std::unique_ptr<Journal>> open_journal_at(EntryId covered, EntryId reached) const;
  absl::Status set_journal_aside(const absl::Status& why);
  EntryId covered_by_states() const;
  EntryId reached_by_states() const;
  void begin_committing();
  absl::Status restore_states(Node& node, uint64_t& replay_from);
  absl::Status restore_plan(Node& node, const std::string& folder, const CataloguePlan* known,
                            uint64_t& replay_from);
  absl::Status take_revision(Node& node, const Revision& revision, uint64_t& replay_from);
  absl::Status look_behind(EntryId at) const;
  absl::StatusOr<std::optional<uint64_t>> built_from(const CataloguePlan& plan) const;
  absl::Status put_lost(Node& node, const CataloguePlan& plan, const std::string& why);
  absl::Status replay(Node& node, uint64_t from);
  absl::Status replay_entry(Node& node, const Entry& entry);
  absl::Status judge_unbuilt();

  FileSystem& files_;
  const Settings settings_;
  Logger& log_;
  const StartOrders orders_;
  const std::string location_;

  Epoch epoch_seen_;
  std::unique_ptr<NodeCut> node_state_;  // null: there is none
  EntryId reached_by_results_;           // of a node of a pair
  std::map<std::string, Found> found_;   // by folder; not the node's own
  RecoveryCounts recovered_;
  std::map<std::string, std::string> unbuilt_;  // plans whose text is not taken, and why
  std::unique_ptr<ApplyMarks> marks_;
  std::shared_ptr<SegmentIndex> journal_index_;
  Position journal_first_;
  Position journal_last_;
  std::unique_ptr<Journal> journal_;      // null once it was given to whoever writes it
  std::unique_ptr<Committer> committer_;  // null: the journal is a pair's
  EntryLog* entry_log_ = nullptr;
  std::unique_ptr<Persister> persister_;

  std::mutex logs_mutex_;
  std::map<std::string, std::weak_ptr<ResultLog>> logs_;  // by directory

  std::mutex node_mutex_;
  Node* node_ = nullptr;  // whom callbacks reach
};

}  // namespace pollux
