// Numbers entries, lets each be committed, and then hands it to the shards that take it, in one
// order for all.
//
// A batch is refused when a queue of a shard that takes its stream is full, or waits for room when
// its receiver says so, in the order of arrival of its stream and of its producer. Room in the
// shards' queues is taken when an entry is numbered. Without a log an entry is committed once it is
// numbered.
//
// On a node of a pair it numbers entries only while the node leads; else it takes those of whoever
// does, by replay(). What is not committed when a lead ends is as if it had never come: those who
// sent it hear that its outcome is unknown, and it may yet come back as an entry of the other node.
// Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ha/copies/identity_table.h"
#include "ha/producers/producer_table.h"
#include "server/node/entry_log.h"
#include "server/node/intake.h"
#include "server/node/latency_histogram.h"
#include "server/node/shard.h"
#include "server/node/waiting_numbers.h"

namespace pollux {

struct SequencerCounts {
  uint64_t entries = 0;
  uint64_t events = 0;
  uint64_t duplicates = 0;     ///< batches
  uint64_t refused_full = 0;   ///< batches
  uint64_t refused_other = 0;  ///< batches
  uint64_t waiting = 0;        ///< batches, now
  uint64_t producers = 0;
  EntryId last;
};

/// By which what comes again is known.
struct SenderState {
  explicit SenderState(ProducerTable none) : producers(std::move(none)) {}
  ProducerTable producers;
  std::vector<NumberedIdentity> identities;  ///< of events of duplicated streams
};

class Sequencer final {
 public:
  using Clock = std::function<int64_t()>;  ///< milliseconds since 1970
  using Committed = std::function<void(const absl::Status&)>;

  /// What is numbered without having come as an event.
  struct Ordered {
    EntryId id;
    Timestamp timestamp;
  };
  /// What the next entry follows.
  struct Place {
    Position position;
    int64_t clock_ms = 0;
  };

  Sequencer(Epoch epoch, Clock clock, ProducerTable producers)
      : clock_(std::move(clock)), epoch_(epoch), producers_(std::move(producers)) {}

  // ---- receivers ----

  /// As of Intake.
  SchemaPtr schema_of(std::string_view stream) const;
  absl::Status why_unknown(std::string_view stream) const;

  /// What became of a batch that was offered.
  struct Offered {
    enum class Outcome : uint8_t {
      kTaken,         ///< `done` was called, or will be
      kNeedsLookups,  ///< `lookups` first; nothing was done, and nothing is gone of what was given
      kNeedsRoom,     ///< a batch with lookups that waits for room: as above, see set_on_room()
    };
    Outcome outcome = Outcome::kTaken;
    StreamLookupsPtr lookups = nullptr;
  };
  Offered offer(Submission& submission, std::function<void(Submitted)>& done);
  /// What events of the stream need; null: nothing.
  StreamLookupsPtr lookups_of(std::string_view stream) const;
  /// As refused here, and counted.
  Submitted refuse(absl::Status status);

  // ---- the node ----

  /// Before the first entry; it outlives the sequencer's last call.
  void set_log(EntryLog* log) { log_ = log; }
  /// Before the first entry: events of some streams come to both nodes of the pair. Null: of none.
  void set_identities(IdentityTable* identities) { identities_ = identities; }
  /// Before the first entry: called under no lock of the sequencer when there may be room again, or
  /// what waits for it may be refused.
  void set_on_room(std::function<void()> call) { on_room_ = std::move(call); }
  /// Called under no lock of the sequencer when a batch was refused since the journal is full.
  void set_on_journal_full(std::function<void()> call) { journal_full_ = std::move(call); }

  /// The shard gets its plan and takes these streams, and no others, from here on.
  Ordered deploy(const std::shared_ptr<Shard>& shard, DeployPayload plan, Shard::OutputsPtr outputs,
                 const PlanInputs& inputs, Shard::Applied applied, Committed committed);
  void undeploy(const std::shared_ptr<Shard>& shard, Shard::Applied applied, Committed committed);
  /// A change of the shard's tables, ordered among its entries. An error when it is not taken, and
  /// then `applied` is not called.
  absl::Status write(const std::shared_ptr<Shard>& shard, WritePayload payload,
                     Shard::Applied applied);
  /// Time has come for something in some of the shards; all of them hear it.
  void tick(const std::vector<std::shared_ptr<Shard>>& shards);
  /// All these shards are to cut their state here. `senders`: as they are here. Position 0: the
  /// node does not lead, nothing was ordered, and `committed` is not called.
  Ordered persist(const std::vector<std::shared_ptr<Shard>>& shards, SenderState& senders,
                  Committed committed);
  /// Calls back once everything that was numbered is committed, or never will be.
  void when_committed(Committed committed);
  /// Some shard, or the journal, has room again.
  void room_made();
  /// Refuses everything from here on, also what waits.
  void stop(const absl::Status& why);
  /// The last entry that was handed to shards.
  Position handed() const;

  ProducerTable producers() const;
  /// What is known of those who send, behind an entry that was replayed last.
  SenderState senders(const Entry& behind) const;
  /// As the table of producers has it; on a node of a pair, of committed entries.
  ProducerTable::Judged judge(std::string_view producer, uint64_t number) const;
  SequencerCounts counts() const;
  /// From numbering an entry until it is committed.
  LatencyHistogram::Counts commit_latency() const { return commit_latency_.counts(); }

  // ---- a node of a pair ----

  /// Before the first entry: the node does not lead, for the reason that senders are told.
  void share(const absl::Status& why);
  /// From here on this node numbers entries, of this epoch; all before them were replayed.
  void open(Epoch epoch, Place place);
  /// It does no more. What it numbered and was not committed is forgotten.
  void close(const absl::Status& why);

  // ---- replay: before anything is submitted ----

  void begin_at(Place place, SenderState senders);
  /// The shard takes these streams, and no others, from here on.
  void route(const std::shared_ptr<Shard>& shard, const PlanInputs& inputs);
  /// An entry of the journal, which hands it to `shards` once they have room.
  void replay(const Entry& entry, const std::vector<std::shared_ptr<Shard>>& shards,
              Shard::OutputsPtr outputs = nullptr);
  /// The shards that take the stream.
  std::vector<std::shared_ptr<Shard>> takers_of(std::string_view stream) const;

 private:
  struct Waiting {
    Submission submission;
    std::function<void(Submitted)> done;
  };
  struct Route {
    SchemaPtr schema;
    std::vector<std::shared_ptr<Shard>> shards;
    std::vector<std::pair<const Shard*, TableLookups>> external;  ///< of those shards
    StreamLookupsPtr lookups;                                     ///< all of these; null: none
    std::deque<Waiting> waiting;
  };
  /// An entry on its way to its shards.
  struct Numbered {
    Entry entry;
    size_t bytes = 0;
    std::vector<std::shared_ptr<Shard>> shards;
    Shard::OutputsPtr outputs;
    Shard::Applied applied;
    Committed committed;
  };
  /// What is called once the lock is free.
  using Calls = std::vector<std::function<void()>>;

  static constexpr std::chrono::milliseconds kRetryAfter{100};
  static constexpr size_t kBatchBytesMax = size_t{128} << 20;

  int64_t now_ms();
  EntryId next_id() { return {epoch_, {++position_}}; }
  Ordered hand_over(EntryPayload payload, Numbered numbered, Calls& calls);
  Submitted refused(absl::Status status);
  bool fits(const Submission& submission, const Route& route, Submitted& refusal);
  bool admit(const Submission& submission, const Route* route, uint64_t waits, Submitted& refusal);
  bool is_in_turn(const Submission& submission, uint64_t waits, Submitted& refusal);
  absl::Status room_for(const Route& route, const Submission& submission) const;
  void enqueue(Submission submission, Route& route, std::function<void(Submitted)> done);
  Waiting dequeue(Route& route);
  void place_all_waiting(Calls& calls);
  bool place_waiting(Route& route, Calls& calls);
  void place(Submission submission, const Route& route, std::function<void(Submitted)> done,
             Calls& calls);
  bool take_fresh(Submission& submission, std::function<void(Submitted)>& done, Calls& calls);
  bool takes_entries() const { return !shared_ || leads_; }
  void note_committed(const Entry& entry);
  void note_replayed(const Entry& entry);
  void refuse_waiting(Calls& calls);
  void answer_duplicate(const Submitted& answer, std::function<void(Submitted)> done, Calls& calls);
  void change_routes(const std::shared_ptr<Shard>& shard, const PlanInputs& inputs, Calls& calls);
  void change_lookups(const std::shared_ptr<Shard>& shard, const PlanInputs& inputs, Calls& calls);
  void drop_waiting(Route& route, const absl::Status& why, Calls& calls);
  static void make(Calls calls);
  void tell_room() const;

  const Clock clock_;
  EntryLog* log_ = nullptr;
  IdentityTable* identities_ = nullptr;  // null: no stream is duplicated
  std::function<void()> on_room_;
  std::function<void()> journal_full_;
  bool shared_ = false;

  mutable std::mutex mutex_;
  Epoch epoch_;
  ProducerTable producers_;
  WaitingNumbers waiting_numbers_;
  std::optional<ProducerTable> lasting_producers_;  // of entries handed over; where it is shared
  uint64_t handed_ = 0;
  bool leads_ = false;
  std::map<std::string, Route, std::less<>> routes_;
  uint64_t position_ = 0;
  int64_t last_ms_ = 0;
  absl::Status stopped_;  // not ok: refuses everything for this reason
  bool ended_ = false;    // for ever
  SequencerCounts counts_;
  LatencyHistogram commit_latency_;
};

}  // namespace pollux
