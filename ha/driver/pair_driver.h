// Runs a Replica: gives it a thread, the time, an arbiter, a way to its peer, and entries.
//
// What comes is gathered while the journal is being synced, and is the next group: one write and
// one sync for all of it. On a node that leads, entries that were appended here come back through
// their own callbacks once they are committed; all others, of whoever leads, are handed to the
// listener, in order, once they may be applied. Thread: any; callbacks and listener calls are made
// on the driver's thread, and must be quick.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ha/driver/arbiter_thread.h"
#include "ha/pair/replica.h"

namespace pollux {

struct PairDriverOptions {
  ReplicaOptions replica;
  ReplicaStart start;
  PairState own;  ///< as it stands in the file
  /// From here on room_for() refuses; the journal has its reserve above it.
  uint64_t journal_bytes_max = uint64_t{16} << 30;
  size_t queue_bytes_max = size_t{64} << 20;
  /// To the peer; may lose it, and must not wait.
  std::function<void(PeerMessage)> to_peer;
  std::function<int64_t()> wall_clock_ms;  ///< since 1970
};

/// Thread: the driver's.
class PairDriverListener {
 public:
  virtual ~PairDriverListener() = default;

  /// The next entry that may be applied. False: there is no room for it now; it is offered again.
  virtual bool apply(const Entry& entry) = 0;
  /// This node leads: entries from here on, beginning with those that nobody may have applied yet,
  /// are applied here first.
  virtual void lead_began() = 0;
  /// This node leads, and has handed over all entries up to `tail`: it may number those behind.
  virtual void lead_opened(EntryId tail, Timestamp last) = 0;
  /// It does no more. What was appended and not committed has been told so.
  virtual void lead_ended(const std::string& why) = 0;
  virtual void role_changed(Role from, Role to, const std::string& why) = 0;
  virtual void confirmed(const Confirmed& confirmed) = 0;
  /// PairDriver::install() is to be called, some time, with a snapshot of whoever leads.
  virtual void snapshot_needed() = 0;
  /// What was applied behind `last` is void: PairDriver::install() is to be called with nothing.
  virtual void void_behind(EntryId last) = 0;
  /// Segments were removed, or what waited for space has got some.
  virtual void room_made() = 0;
  /// What the arbiter said to the last request: ok, or why nobody knows what became of it.
  virtual void arbiter_answered(const absl::Status& status) = 0;
  /// A plan of the follower is another than this node's, which leads.
  virtual void diverged(const Divergence& divergence) = 0;
  /// Something that a person must look at.
  virtual void alarm(const std::string& what) = 0;
  /// The node must end: it can write its journal no more, or would have to forget what it knew.
  virtual void failed(const absl::Status& why) = 0;
};

/// As it was after the last turn.
struct PairStatus {
  Role role = Role::kStarting;
  int64_t role_since_ms = 0;  ///< of the wall clock
  std::string role_why;
  Epoch epoch;
  EntryId tail;
  Position committed;
  EntryId committed_id;  ///< the same, with its epoch
  Position handed;       ///< over to the plans
  ArbiterRecord record;
  JournalId journal;  ///< by which the record names this node
  std::optional<Position> follower_at;
  int64_t lag_ms = 0;    ///< of the follower
  bool barred = false;   ///< plans of the follower differ, and copies do not help
  absl::Status arbiter;  ///< its last answer
  bool frozen = false;
  bool stuck = false;  ///< the disk has no room
  uint64_t journal_bytes = 0;
  Position journal_first;
  uint64_t queued_entries = 0;
  uint64_t queued_bytes = 0;
  uint64_t groups = 0;
  uint64_t written_entries = 0;  ///< since the start
  uint64_t written_bytes = 0;
  uint64_t commit_us = 0;  ///< in writes and syncs, all in all
  ReplicaCounts counts;
  absl::Status failed;
};

class PairDriver {
 public:
  using Committed = std::function<void(const Entry&, const absl::Status&)>;
  using Reached = std::function<void(const absl::Status&)>;
  /// Puts a snapshot in the place of states and outboxes.
  using Replace = std::function<absl::Status()>;

  /// `files`, `file` and `listener` outlive it.
  PairDriver(FileSystem& files, std::unique_ptr<Journal> journal, PairFile& file,
             std::unique_ptr<Arbiter> arbiter, PairDriverOptions options,
             PairDriverListener& listener);
  ~PairDriver();

  // ---- the peer ----

  void on_connected();
  void on_disconnected();
  void on_message(PeerMessage message);
  /// To the other node, of sinks that have confirmed something.
  void tell_confirmed(Confirmed confirmed);

  // ---- entries ----

  /// Whether an entry of so many bytes is to be numbered now; kResourceExhausted says why not.
  absl::Status room_for(size_t bytes) const;
  /// The journal has no room for so many bytes until it is trimmed.
  bool is_full(size_t bytes) const;
  /// Takes the next entry of this node's lead, room or not; `bytes` is what it counts in the queue.
  void append(Entry entry, size_t bytes, Committed committed);
  /// Calls back behind all that was appended before, also when there is nothing.
  void behind(Reached reached);
  /// Segments of entries below are removed, some time soon, but for what a follower needs.
  void trim(Position below);
  /// What stands behind `position` stays for so long, whatever trim() says: somebody gets a
  /// snapshot, and will ask for it.
  void keep_behind(Position position, std::chrono::milliseconds time);
  /// Up to here this node's plans have taken entries.
  void note_applied(Position position);
  /// What a plan of this node has come to.
  void note_hash(PlanHash hash);

  // ---- orders; they wait for the driver's thread ----

  absl::Status switch_over();
  absl::Status force();
  /// R8. The journal goes on behind `at`, and plans behind `applied`, once `replace` has been
  /// called.
  /// Whether a snapshot may take the place of everything: the record names this journal no more.
  bool may_install();
  absl::Status install(EntryId at, Position applied, Replace replace);

  PairStatus status() const;
  /// Commits what waits, as far as it can, and closes the journal; what is not committed then is
  /// told so.
  void stop();

 private:
  class World;
  struct Item {
    Entry entry;
    size_t bytes = 0;
    Committed committed;  // of an entry
    Reached reached;      // of what only waits
  };
  using Items = std::deque<Item>;
  using Call = std::function<void()>;

  static constexpr size_t kGroupBytesMax = size_t{8} << 20;
  static constexpr std::chrono::milliseconds kTick{10};
  static constexpr std::chrono::milliseconds kTryAgain{100};

  void post(Call call);
  absl::Status ended_why() const;
  void restart_source();
  absl::Status order(std::function<absl::Status()> work);
  void run();
  bool wait_for_work(std::vector<Call>& calls);
  void append_group();
  void flush();
  void finish_committed();
  void fail_pending(const absl::Status& why);
  void fail_queue();
  void answer(Item& item, const absl::Status& status);
  void hand_over_entries();
  void trim_now();
  void note_status();
  void end(const absl::Status& why);
  int64_t now_ms() const;

  const PairDriverOptions options_;
  PairDriverListener& listener_;

  // ---- the driver's thread ----
  const std::unique_ptr<Journal> journal_;
  const std::unique_ptr<World> world_;
  PairRules rules_;
  std::unique_ptr<Replica> replica_;
  std::optional<EntrySource> source_;  // of what is to be handed over
  Position handed_;
  std::optional<Entry> refused_;  // the next to be handed over: there was no room for it
  Position may_hand_;
  Items pending_;                   // appended, not committed
  std::optional<EntryId> opening_;  // leads, and has not handed over all up to there
  bool opened_ = false;
  Timestamp last_timestamp_;
  Position trim_below_;
  Position keep_behind_;
  int64_t keep_until_ms_ = 0;
  absl::Status arbiter_answer_;
  std::string role_why_;
  int64_t role_since_ms_ = 0;
  bool stuck_ = false;  // the disk has no room
  uint64_t groups_ = 0;
  uint64_t commit_us_ = 0;
  uint64_t written_entries_ = 0;
  uint64_t written_bytes_ = 0;
  bool ended_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  std::vector<Call> calls_;
  Items queue_;
  size_t queued_bytes_ = 0;
  bool stopping_ = false;
  bool holds_queue_ = false;  // written on the driver's thread only
  PairStatus status_;

  std::unique_ptr<ArbiterThread> arbiter_;
  std::thread thread_;
};

}  // namespace pollux
