// Writes the state of all plans, and the node's own, every so often or on order.
//
// A round orders one entry, or is one of whoever leads, on a node that follows; each shard cuts its
// plan's state behind it: a small one is saved there and then, a large one by a forked child
// (forked_child.h). Before a plan's revision is written the results of all entries in it last; once
// all are written the node's own is, and the journal is trimmed below what the second-latest
// revisions need. A plan whose state cannot be written keeps its older revisions, and the journal
// for them. Thread: any; rounds follow each other on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/state/revision_store.h"
#include "server/durability/plan_record.h"
#include "server/node/entry_log.h"
#include "server/node/node.h"
#include "server/node/worker_pool.h"

namespace pollux {

/// What became of one plan's state, or of the node's own.
struct PersistedPlan {
  std::string plan;
  absl::Status status;
  std::string path;
  uint64_t file_bytes = 0;
  uint64_t state_bytes = 0;
  uint64_t pause_us = 0;  ///< that the plan stood still for it
  bool forked = false;
  std::optional<uint64_t> state_hash;  ///< equal states have equal ones, on every node
};

struct PersistReport {
  EntryId at;
  uint64_t took_ms = 0;
  std::vector<PersistedPlan> plans;  ///< by name
  PersistedPlan node;
  uint64_t log_bytes = 0;  ///< that had been written to the journal, all in all, when it began
};

struct PersisterOptions {
  std::string location;
  std::string tenant;
  size_t revisions_to_keep = 2;
  size_t workers = 10;
  std::chrono::milliseconds interval{std::chrono::minutes(15)};
  uint64_t journal_bytes = uint64_t{1} << 30;  ///< that bring about a round
  /// Larger states are saved by a child.
  uint64_t inline_bytes_max = uint64_t{2} << 20;
  std::chrono::milliseconds child_patience{std::chrono::minutes(10)};
  /// How long a round waits for plans that are behind.
  std::chrono::milliseconds plan_patience{std::chrono::minutes(1)};
  std::function<void(const PersistReport&)> done;
  std::function<void(const absl::Status&)> failed;  ///< a whole round
};

struct PersisterCounts {
  uint64_t rounds = 0;
  uint64_t failures = 0;  ///< states that could not be written
  EntryId last;           ///< of the last round
  int64_t last_ms = 0;
  uint64_t last_took_ms = 0;
  uint64_t last_bytes = 0;
  uint64_t pause_us_max = 0;  ///< of any plan, ever
};

class Persister {
 public:
  /// All of them outlive the persister.
  Persister(FileSystem& files, Node& node, EntryLog& journal, PersisterOptions options);
  ~Persister() { stop(); }

  /// For NodeOptions::persist_ordered: the round of an entry of whoever leads. False: the last one
  /// is still under way.
  bool begin_ordered(NodeCut cut);
  /// For NodeOptions::persist.
  void cut(Shard& shard, const Engine& engine, const Entry& entry);

  /// A round, behind those that are under way. kUnavailable: the persister stops, or it took
  /// longer.
  absl::StatusOr<PersistReport> persist(std::chrono::milliseconds at_most);
  /// The journal is full: two rounds, behind which all of its segments but the last can go.
  void make_room();
  /// What is under way is abandoned.
  void stop();

  /// Called behind each round, until another one is set; null: nobody. No call is under way then.
  void set_told(std::function<void(const PersistReport&)> told);

  PersisterCounts counts() const;
  /// The last round, if it wrote every state and the journal has not grown by half of what brings
  /// about another one.
  std::optional<PersistReport> fresh() const;

 private:
  struct Round;
  struct Job;
  using Answer = std::promise<absl::StatusOr<PersistReport>>;

  static constexpr std::chrono::seconds kLookInterval{1};

  void run();
  void retry_logs();
  bool due(const EntryLogCounts& journal) const;
  void wait_for_plans(Round& round, std::chrono::steady_clock::time_point patience);
  absl::StatusOr<PersistReport> do_round();
  std::shared_ptr<Round> begin_round();
  absl::StatusOr<PersistReport> finish_round(const std::shared_ptr<Round>& round,
                                             std::chrono::steady_clock::time_point begun);
  void note_lost(const absl::Status& status);
  void write_plan(const std::shared_ptr<Round>& round, const std::shared_ptr<Job>& job);
  absl::Status write_state(const Job& job);
  PersistedPlan write_node(const Round& round);
  absl::StatusOr<RevisionStore*> store_of(const std::string& folder);
  /// Saves the state into what it is called with.
  using SaveState = std::function<void(const std::function<void(std::string_view)>&)>;
  static absl::Status write_revision(RevisionStore& store, const RevisionHeader& header,
                                     std::string_view record, const SaveState& save);
  void note_file(const std::string& folder, PersistedPlan& written);
  absl::Status trim(const Round& round);
  absl::StatusOr<uint64_t> needed_from(const std::string& folder, uint64_t deployed);
  void note_done(const PersistReport& report);

  FileSystem& files_;
  Node& node_;
  EntryLog& journal_;
  const PersisterOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Round> round_;    ///< that is under way
  std::shared_ptr<Round> ordered_;  ///< the same, while the persister's thread has not seen it
  std::deque<Answer> asked_;
  bool make_room_ = false;
  bool making_room_ = false;
  bool stopping_ = false;
  PersisterCounts counts_;
  PersistReport last_;  ///< of the last round that came to its end

  // ---- the persister's thread ----
  std::chrono::steady_clock::time_point last_round_;
  uint64_t journal_bytes_then_ = 0;
  Position position_then_;

  std::mutex told_mutex_;  // held while it is called
  std::function<void(const PersistReport&)> told_;

  std::mutex stores_mutex_;
  std::map<std::string, std::unique_ptr<RevisionStore>> stores_;
  WorkerPool workers_;
  std::thread thread_;
};

}  // namespace pollux
