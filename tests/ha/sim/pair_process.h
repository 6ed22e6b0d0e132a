// The process of one node: a replica, and around it what a server has, in its order: numbers for
// batches, an engine, outboxes, states, sinks. It ends when it is destroyed, at any point.
// Thread: one. Errors: work() returns what the node must end of.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "ha/divergence/results_hash.h"
#include "ha/pair/pair_file.h"
#include "ha/pair/replica.h"
#include "ha/producers/numbers_in_flight.h"
#include "ha/producers/producer_table.h"
#include "persistence/outbox/outbox_log.h"
#include "persistence/state/revision_store.h"
#include "tests/ha/sim/mutant.h"
#include "tests/ha/sim/sim_arbiter.h"
#include "tests/ha/sim/sim_network.h"
#include "tests/ha/sim/sim_sinks.h"
#include "tests/ha/sim/sink_senders.h"
#include "tests/ha/sim/witness.h"
#include "tests/persistence/sim/mutant_file_system.h"
#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {

struct BatchAnswer {
  enum class Kind : uint8_t { kAcknowledged, kRefused, kExpected };
  Kind kind = Kind::kRefused;
  EntryId entry;          ///< kAcknowledged
  uint64_t expected = 0;  ///< kExpected: the number that is due
};

struct BatchRequest {
  std::string producer;
  uint64_t number = 0;
  EventBatchPtr batch;
  bool forwarded = false;
  std::function<void(const BatchAnswer&)> answer;
};

/// A node's states, unconfirmed results, and how far its sinks are, for one that joins.
struct SnapshotData {
  EntryId at;
  Timestamp timestamp;
  std::string state;
  std::vector<OutboxSlice> results;
  Confirmed confirmed;
};

class PairProcess;

/// What a process sees of the world.
struct SimWorld {
  VirtualTime& time;
  SimNetwork& network;
  SimArbiter& arbiter;
  Chance& chance;
  Witness& witness;
  SimStore& store;
  PairMutant mutant = PairMutant::kNone;
  const PairRules& rules;
  bool sync_every_commit = true;
  /// To the other node; `after_us` from now.
  std::function<void(Place from, PeerMessage, int64_t after_us)> to_peer;
  std::function<void(Place from, BatchRequest)> forward;
  std::function<void(Place from)> ask_for_snapshot;
  /// Before a lead begins.
  std::function<void(Epoch epoch, const EpochHistory& journal)> leads;
  /// For whoever looks at one seed; may be empty.
  std::function<void(const std::string&)> trace;
  /// To be done by that process, if it still lives.
  std::function<void(Place node, uint64_t process, std::function<void(PairProcess&)>)> wake;
};

struct ProcessCounts {
  uint64_t applied = 0;
  uint64_t persisted = 0;
  uint64_t restored = 0;
  uint64_t installed = 0;
  uint64_t duplicates = 0;
  uint64_t voided = 0;
  uint64_t divergences = 0;
  uint64_t alarms = 0;
};

class PairProcess : public ReplicaWorld {
 public:
  static constexpr char kData[] = "data";
  static constexpr int64_t kProducersForgottenMs = int64_t{7} * 24 * 3600 * 1000;
  static constexpr size_t kProducersMax = 100;
  static constexpr uint64_t kResultsInterval = 32;

  /// `serial`: no other process has it. Recovers from what is on the disk.
  static absl::StatusOr<std::unique_ptr<PairProcess>> start(SimWorld& world, Place node,
                                                            SimulatedFileSystem& disk,
                                                            uint64_t serial, bool power_lost,
                                                            ProcessCounts& counts);
  ~PairProcess() override;

  void on_message(const PeerMessage& message) { replica_->on_message(message, now_ms()); }
  void on_connected() { replica_->on_connected(now_ms()); }
  void on_disconnected() { replica_->on_disconnected(now_ms()); }
  void on_arbiter(const std::optional<ArbiterRecord>& record);
  void on_batch(BatchRequest request);
  std::optional<SnapshotData> snapshot() const;
  void on_snapshot(const SnapshotData& data);
  void tick() { replica_->tick(now_ms()); }
  /// Nothing happens while the peer is heard.
  void force() { replica_->force(now_ms()).IgnoreError(); }
  /// Nothing happens where there is nobody to hand over to.
  void switch_over() { replica_->switch_over(now_ms()).IgnoreError(); }
  /// Its plan takes something that is no entry: from here on its state is another, and no result.
  void diverge();
  /// As an operator would, of a node that leads.
  void order_persist() { append(PersistPayload{}, JournalSpace::kReserve); }
  /// The same plan again, which keeps its state.
  void redeploy();
  /// A number for all that its plan and its table of producers hold.
  uint64_t state_hash() const;
  /// Everything that came is written, sent, applied and answered.
  absl::Status work();

  Replica& replica() { return *replica_; }
  const Replica& replica() const { return *replica_; }
  uint64_t serial() const { return serial_; }
  Position applied() const { return applied_; }
  /// No deadline is near, and both sinks have all results, as far as this process knows.
  bool is_quiet() const;
  void set_clock_skew_ms(int64_t skew) { skew_ms_ = skew; }
  /// Plans take at most so many entries at a time.
  void set_entries_at_a_time(uint64_t entries) { entries_at_a_time_ = entries; }
  /// How long the disk has taken since the last call.
  int64_t take_disk_us();
  void set_sync_us(int64_t fastest, int64_t slowest) {
    fastest_sync_us_ = fastest;
    slowest_sync_us_ = slowest;
  }

 private:
  class Results;
  struct Unanswered {
    EntryId entry;
    std::string producer;
    uint64_t number = 0;
    std::function<void(const BatchAnswer&)> answer;
  };

  PairProcess(SimWorld& world, Place node, SimulatedFileSystem& disk, uint64_t serial,
              ProcessCounts& counts);

  // ---- what lasts ----
  absl::Status recover(bool power_lost);
  absl::Status open_journal();
  absl::Status load();
  absl::Status open_outbox();
  absl::Status wipe(bool journal_too);
  absl::Status persist(const Entry& entry);
  std::string state_bytes() const;
  bool read_state(std::string_view bytes, const Revision& revision);
  absl::Status install(const SnapshotData& data);

  // ---- leading ----
  void lead();
  absl::Status work_sinks();
  void tell_confirmed();
  absl::Status take_confirmed();
  SinkLink sink_link();
  bool append(EntryPayload payload, JournalSpace space = JournalSpace::kOrdinary);
  void answer_committed();

  // ---- applying ----
  absl::Status apply_some();
  absl::Status apply(const Entry& entry);

  // ---- ReplicaWorld ----
  void send(PeerMessage message) override;
  void read_record() override;
  void set_record(const ArbiterRecord& next) override;
  void may_apply(Position upto) override;
  void lead_began(EntryId tail) override;
  void lead_ended(const std::string& why) override;
  void role_changed(Role from, Role to, const std::string& why) override;
  void snapshot_needed() override;
  void void_behind(EntryId last) override;
  void confirmed(const Confirmed& confirmed) override;
  void diverged(const Divergence& divergence) override;
  void alarm(const std::string& what) override;
  JournalId new_journal_id() override;
  DomainId new_domain_id() override { return {world_.chance.next(), 1}; }
  SessionNonce new_nonce() override { return {world_.chance.next(), 1}; }
  int64_t jitter(int64_t bound) override {
    return bound <= 0 ? 0 : static_cast<int64_t>(world_.chance.below(bound));
  }
  Timestamp wall_clock() override;

  int64_t now_ms() const { return world_.time.now_ms(); }
  bool is(PairMutant mutant) const { return world_.mutant == mutant; }
  void note_syncs();

  SimWorld& world_;
  const Place node_;
  SimulatedFileSystem& disk_;
  MutantFileSystem journal_disk_;  // on which the journal stands
  const uint64_t serial_;
  ProcessCounts& counts_;

  std::unique_ptr<RevisionStore> revisions_;
  std::vector<Position> kept_;  // of revisions
  std::unique_ptr<Journal> journal_;
  PairFile file_;
  std::unique_ptr<Engine> engine_;
  ResultsHash results_hash_{kResultsInterval};
  ProducerTable producers_;
  std::unique_ptr<OutboxLog> outbox_;
  PlanRow last_result_;  // in the outbox
  std::unique_ptr<Replica> replica_;
  std::optional<EntrySource> source_;
  Position applied_;
  EntryId applied_id_;
  Timestamp applied_timestamp_;
  Position may_apply_;
  std::unique_ptr<ReaderPlaces> places_;
  std::unique_ptr<WebhookSender> webhook_;
  std::unique_ptr<StoreSender> store_;

  std::map<std::string, PlanRow> told_;  // by the peer, of its sinks

  NumbersInFlight in_flight_;
  std::deque<Unanswered> unanswered_;
  int64_t last_timestamp_ms_ = 0;
  Position lead_tail_;  // what the lead began with
  uint64_t entries_since_persist_ = 0;
  bool persist_ordered_ = false;
  std::optional<SnapshotData> arrived_;
  std::optional<EntryId> void_behind_;

  int64_t skew_ms_ = 0;
  uint64_t entries_at_a_time_ = UINT64_MAX;
  uint64_t syncs_seen_ = 0;
  int64_t disk_us_ = 0;
  int64_t fastest_sync_us_ = 100;
  int64_t slowest_sync_us_ = 4000;
};

}  // namespace pollux
