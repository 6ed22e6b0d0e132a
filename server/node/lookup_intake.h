// The way to the sequencer: batches of streams that plans join with external tables wait here until
// the rows of their keys have come from the store, all others pass.
//
// Batches go on in the order in which they came: those of a stream that has lookups, and those of a
// producer one of whose batches waits. The database is asked by a few threads for each store, many
// batches at a time. A batch whose rows do not come in time, or at all, is refused and nothing was
// numbered. When plans change in the meantime, rows are looked up again. Thread: any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/node/intake.h"
#include "server/node/sequencer.h"
#include "server/node/worker_pool.h"

namespace pollux {

struct LookupOptions {
  /// The rows of these keys, each at most once, of the attributes of holder.schema; `keys` has the
  /// columns of the primary key. Errors as of RecordStore. May wait for a database. Thread: of a
  /// store's own; null: there are no stores, and batches that need them are refused.
  std::function<absl::StatusOr<EventBatchPtr>(const StoredHolder&, const EventBatch& keys)> find;
  /// The name of the store that the table is in.
  std::function<std::string(const StoredHolder&)> store_of;
  /// Rows of a store cannot be had, or, when it is ok, can again.
  std::function<void(const std::string& store, const absl::Status&)> told;
  size_t threads = 4;  ///< a store
  std::chrono::milliseconds deadline{5000};
  size_t batches_max = 1024;  ///< that wait
  size_t bytes_max = size_t{64} << 20;
  size_t found_bytes_max = size_t{16} << 20;  ///< for one batch
};

struct LookupCounts {
  uint64_t batches = 0;       ///< looked up
  uint64_t keys = 0;          ///< asked for, each once a batch and table
  uint64_t rows = 0;          ///< found
  uint64_t again = 0;         ///< batches, since plans had changed
  uint64_t unavailable = 0;   ///< batches refused: no answer from the store, or none in time
  uint64_t refused = 0;       ///< batches refused: what was found does not fit, or is too much
  uint64_t refused_full = 0;  ///< batches
  uint64_t waiting = 0;       ///< batches, now
  uint64_t waiting_bytes = 0;
};

class LookupIntake final : public Intake {
 public:
  /// The sequencer outlives it.
  LookupIntake(Sequencer& sequencer, LookupOptions options);
  ~LookupIntake() override { stop(absl::UnavailableError("the node is stopping")); }

  SchemaPtr schema_of(std::string_view stream) const override {
    return sequencer_.schema_of(stream);
  }
  absl::Status why_unknown(std::string_view stream) const override {
    return sequencer_.why_unknown(stream);
  }
  void submit(Submission submission, std::function<void(Submitted)> done) override;

  /// There may be room for batches that wait for it. Calls nobody back.
  void room_made();
  /// Refuses what waits and all that comes.
  void close(const absl::Status& why);
  /// As close(), and waits for what the stores are asked.
  void stop(const absl::Status& why);
  LookupCounts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Done = std::function<void(Submitted)>;
  /// One asking of stores for a batch; whoever gives it up need not wait for it.
  struct Asking {
    StreamLookupsPtr lookups;
    EventBatchPtr batch;
    std::atomic<bool> given_up = false;
  };
  using AskingPtr = std::shared_ptr<Asking>;
  struct Found {
    absl::Status status;
    std::vector<FoundRows> rows;
    uint64_t keys = 0;
    std::string store;  ///< of which the status is
  };
  enum class State : uint8_t { kAsking, kReady, kFailed };
  struct Waiting {
    Submission submission;
    Done done;
    std::string stream;    ///< empty: it stands in no line of a stream
    std::string producer;  ///< empty: none is named
    size_t bytes = 0;
    Clock::time_point deadline;
    State state = State::kReady;
    bool for_room = false;
    absl::Status why;  ///< kFailed
    AskingPtr asking;
  };

  bool stands_behind(const Submission& submission) const;
  void enqueue(Submission submission, Done done, StreamLookupsPtr lookups);
  void ask(uint64_t number, Waiting& waiting, StreamLookupsPtr lookups);
  void run(uint64_t number, const AskingPtr& asking);
  Found find_all(const Asking& asking) const;
  void answered(uint64_t number, const AskingPtr& asking, Found found);
  void note_store(const std::string& store, const absl::Status& status);
  void fail(Waiting& waiting, absl::Status why);
  std::optional<uint64_t> next_to_go() const;
  void pump();
  void go_on(uint64_t number, std::unique_lock<std::mutex>& lock);
  void remove(uint64_t number);
  void watch();
  WorkerPool& workers_of(const std::string& store);

  Sequencer& sequencer_;
  const LookupOptions options_;
  std::atomic<size_t> waiting_count_ = 0;
  std::atomic<uint64_t> rooms_ = 0;  // how often there was room

  mutable std::mutex mutex_;
  std::map<uint64_t, Waiting> waiting_;  // by number, in order of arrival
  std::map<std::string, std::deque<uint64_t>, std::less<>> by_stream_;
  std::map<std::string, std::deque<uint64_t>, std::less<>> by_producer_;
  std::set<uint64_t> settled_;  // neither asking nor waiting for room
  uint64_t last_ = 0;
  bool pumping_ = false;
  absl::Status stopped_;
  LookupCounts counts_;
  std::map<std::string, std::unique_ptr<WorkerPool>> workers_;  // by store

  std::mutex told_mutex_;           // held while told() is called, so that it hears in order
  std::set<std::string> troubled_;  // stores

  std::condition_variable watch_wanted_;
  bool pump_wanted_ = false;
  std::thread watch_;  // of deadlines; begins with the first lookup
};

}  // namespace pollux
