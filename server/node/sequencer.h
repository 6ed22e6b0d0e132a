// Numbers entries and hands each to the shards that take it, in one order for all.
//
// A batch is refused when a queue of a shard that takes its stream is full, or waits for room when
// its receiver says so, in the order of arrival of its stream. Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/node/intake.h"
#include "server/node/producer_table.h"
#include "server/node/shard.h"

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

class Sequencer final : public Intake {
 public:
  using Clock = std::function<int64_t()>;  ///< milliseconds since 1970

  Sequencer(Epoch epoch, Clock clock, ProducerTable producers)
      : epoch_(epoch), clock_(std::move(clock)), producers_(std::move(producers)) {}

  // ---- receivers ----

  SchemaPtr schema_of(std::string_view stream) const override;
  void submit(Submission submission, std::function<void(Submitted)> done) override;

  // ---- the node ----

  /// The shard gets its plan and takes these streams from here on. `replaced`, when there, takes
  /// nothing behind this point.
  EntryId deploy(const std::shared_ptr<Shard>& shard, DeployPayload plan,
                 const std::vector<SchemaPtr>& inputs, const std::shared_ptr<Shard>& replaced);
  void undeploy(const std::shared_ptr<Shard>& shard);
  /// A change of the shard's tables, ordered among its entries. An error when it is not taken, and
  /// then `applied` is not called.
  absl::Status write(Shard& shard, WritePayload payload, Shard::Applied applied);
  /// Time has come for something in the shard.
  void tick(Shard& shard);
  /// Some shard has room again.
  void room_made();
  /// Refuses everything from here on, also what waits.
  void stop();

  SequencerCounts counts() const;

 private:
  struct Waiting {
    Submission submission;
    std::function<void(Submitted)> done;
  };
  struct Route {
    SchemaPtr schema;
    std::vector<std::shared_ptr<Shard>> shards;
    std::deque<Waiting> waiting;
  };
  /// Calls that are made once the lock is free.
  using Calls = std::vector<std::pair<std::function<void(Submitted)>, Submitted>>;

  static constexpr std::chrono::milliseconds kRetryAfter{100};

  int64_t now_ms();
  EntryId next_id() { return {epoch_, {++position_}}; }
  Submitted refuse(absl::Status status);
  bool fits(const Submission& submission, const Route& route, Submitted& refusal);
  bool admit(const Submission& submission, const Route* route, Submitted& refusal);
  static bool has_room(const Route& route, const EventBatch& batch);
  Submitted place(const Submission& submission, Route& route);
  void drop_routes(const std::shared_ptr<Shard>& shard, Calls& calls);
  static void make(Calls calls);

  const Epoch epoch_;
  const Clock clock_;

  mutable std::mutex mutex_;
  ProducerTable producers_;
  std::map<std::string, Route, std::less<>> routes_;
  uint64_t position_ = 0;
  int64_t last_ms_ = 0;
  bool stopped_ = false;
  SequencerCounts counts_;
};

}  // namespace pollux
