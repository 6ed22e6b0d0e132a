// This node as one of a pair: leads or follows, as the arbiter has it, and takes the node's plans,
// sinks and receivers along.
//
// The driver decides on a thread of its own and must not wait; what it brings about at the plans
// waits in a bounded queue for another thread, in order: entries of whoever leads, then the begin
// of an own lead, its end, and so on. Thread: any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ha/copies/order_desk.h"
#include "ha/copies/order_shipping.h"
#include "ha/driver/pair_driver.h"
#include "ha/net/peer_link.h"
#include "server/durability/durability.h"
#include "server/log/logger.h"
#include "server/node/node.h"
#include "server/pair/pair_intake.h"
#include "server/pair/pair_log.h"
#include "server/pair/snapshot/snapshot_fetch.h"
#include "server/pair/snapshot/snapshot_folder.h"
#include "server/pair/snapshot/snapshot_server.h"
#include "server/pair/snapshot/snapshot_source.h"
#include "server/publishers/sink_manager.h"
#include "server/settings/settings.h"

namespace pollux {

/// For /v1/node, metrics and people.
struct PairInfo {
  PairStatus status;
  Position applied;  ///< by the node's plans
  bool connected = false;
  uint16_t protocol_version = 0;  ///< spoken with the other node; 0: there is none
  std::string problem;            ///< why there is no way to the other node; empty: there is
  std::string own_node;           ///< names and addresses
  std::string own_membership;
  std::string peer_node;  ///< of the last one that was there; empty: none was
  std::string peer_membership;
  bool synced = false;           ///< holds, or is held, all that is committed
  uint64_t failovers = 0;        ///< leads that began since the start
  int64_t last_failover_ms = 0;  ///< of the wall clock; 0: none
  std::string last_failover_why;
  uint64_t link_refused = 0;  ///< connections of others, all in all
  uint64_t snapshots_given = 0;
  uint64_t snapshot_bytes_given = 0;
  std::optional<uint64_t> snapshot_bytes_got;  ///< while this node gets one
  HeldCounts copies;                           ///< of duplicated streams
  OrderDeskCounts orders;
  uint64_t orders_shipped = 0;  ///< entries
  uint64_t identities = 0;
};

class PairMember final : private PairDriverListener, private PeerLinkListener {
 public:
  /// Takes the journal of `durability`, and says what this node is before its first step.
  /// Everything outlives it. Errors: settings that do not fit, as kInvalidArgument; the disk's.
  static absl::StatusOr<std::unique_ptr<PairMember>> open(FileSystem& files,
                                                          const Settings& settings, Logger& log,
                                                          Durability& durability);
  ~PairMember() override;

  /// Adds what a node of a pair needs: what compares its plans with the other's, and tells copies.
  void equip(NodeOptions& options);
  /// False: there is another node, and its version knows nothing of rows that entries carry.
  bool peer_takes_found_rows() const;
  /// Of the streams whose clients send to both nodes; null: there are none.
  IdentityTable* identities() { return identities_.get(); }
  /// Copies of events have come. Thread: any.
  void look_at_copies();

  /// What stands around it, and outlives it.
  struct Around {
    Node& node;
    SinkManager& sinks;
    PairIntake& intake;
    Persister& persister;
    StoreSet& stores;
  };
  /// Where a snapshot waits that a start puts in the place of what is there.
  static SnapshotFolder snapshot_folder(FileSystem& files, const Settings& settings);
  /// `ended`: the node must end, and the log says why; called once, on any thread.
  absl::Status start(const Around& around, std::function<void()> ended);
  /// It must end to be started again at once: with a snapshot.
  bool starts_again() const { return starts_again_; }
  /// Hands the lead over, if there is somebody to take it, and waits at most so long.
  void hand_over(std::chrono::milliseconds at_most);
  void stop();

  /// kFailedPrecondition: there is nobody to hand over to, or this node does not lead.
  absl::Status switch_over();
  /// Leads whatever the other node has committed. Errors as those of Replica::force().
  absl::Status force();

  PairInfo info() const;
  const LinkCounters* link_counters() const;

 private:
  using Work = std::function<void()>;

  PairMember(FileSystem& files, const Settings& settings, Logger& log);
  absl::Status prepare(Durability& durability);
  void send_to_peer(PeerMessage message);
  std::string boot_path() const { return settings_.data_dir + "/boot_id"; }
  absl::Status note_boot(const std::string& boot);

  // ---- PairDriverListener ----
  bool apply(const Entry& entry) override;
  void lead_began() override;
  void lead_opened(EntryId tail, Timestamp last) override;
  void lead_ended(const std::string& why) override;
  void role_changed(Role from, Role to, const std::string& why) override;
  void confirmed(const Confirmed& confirmed) override;
  void snapshot_needed() override;
  void void_behind(EntryId last) override;
  void room_made() override;
  void arbiter_answered(const absl::Status& status) override;
  void diverged(const Divergence& divergence) override;
  void alarm(const std::string& what) override;
  void failed(const absl::Status& why) override;

  // ---- PeerLinkListener ----
  void on_connected(const NodeCard& peer) override;
  void on_disconnected(const std::string& reason) override;
  void on_message(PeerMessage message) override;
  void on_forward(ForwardedBatch batch, ForwardAnswerer answer) override;

  void tell_deaths(PeerLink& link);
  void post(Work work, size_t bytes = 0);
  void run();
  void apply_now(const Entry& entry);
  void tell_states(const PersistReport& report);
  void tell_applied();
  void tell_confirmed();
  absl::Status open_snapshots(const Around& around);
  void begin_fetch();
  void begin_with(const std::string& why);
  void end(std::string_view why);

  static constexpr std::chrono::minutes kKeepForSnapshot{10};
  static constexpr std::chrono::milliseconds kInstallRetry{100};
  static constexpr size_t kQueueMax = 4096;
  static constexpr size_t kWorkInARow = 64;
  static constexpr size_t kQueueBytesMax = size_t{64} << 20;
  static constexpr std::chrono::milliseconds kLook{5};
  static constexpr std::chrono::milliseconds kTellConfirmedEvery{10};
  static constexpr std::chrono::seconds kRepeatConfirmedEvery{2};

  FileSystem& files_;
  const Settings settings_;
  Logger& log_;
  PairFile file_;
  PairLog pair_log_;
  PairDriverOptions driver_options_;
  PeerLinkOptions link_options_;
  std::unique_ptr<Arbiter> arbiter_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<IdentityTable> identities_;  // null: no stream's events come to both nodes
  std::unique_ptr<OrderShipping> shipping_;    // the same
  std::unique_ptr<OrderDesk> desk_;            // the same

  ApplyMarks* marks_ = nullptr;
  Node* node_ = nullptr;
  Persister* persister_ = nullptr;
  SinkManager* sinks_ = nullptr;
  StoreSet* stores_ = nullptr;
  PairIntake* intake_ = nullptr;
  std::function<void()> ended_;
  std::atomic<bool> end_told_ = false;
  std::atomic<bool> starts_again_ = false;
  bool stopped_ = false;  // of whoever starts and stops it

  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::pair<Work, size_t>> queue_;
  size_t queued_bytes_ = 0;
  bool stopping_ = false;
  NodeCard peer_;
  bool deaths_due_ = false;  // the way opened before there was a link to tell them over
  uint64_t failovers_ = 0;
  int64_t last_failover_ms_ = 0;
  std::string last_failover_why_;

  // ---- the thread that applies ----
  Position told_applied_;
  std::map<std::string, LastIds, std::less<>> told_confirmed_;
  std::chrono::steady_clock::time_point next_confirmed_;
  std::chrono::steady_clock::time_point repeat_confirmed_;
  bool leads_ = false;

  std::unique_ptr<SnapshotSource> snapshots_;
  std::unique_ptr<SnapshotServer> snapshot_server_;
  std::unique_ptr<SnapshotFetch> fetch_;  // guarded by mutex_; the thread that applies makes it
  bool arbiter_well_ = true;              // of the driver's thread
  std::unique_ptr<PairDriver> driver_;
  std::unique_ptr<PeerLink> link_;
  std::atomic<PeerLink*> open_link_ = nullptr;   // for whoever sends
  std::atomic<OrderDesk*> open_desk_ = nullptr;  // for whoever brings copies
  std::atomic<PairDriver*> at_work_ = nullptr;   // for whoever is called by the link
  std::thread thread_;
};

}  // namespace pollux
