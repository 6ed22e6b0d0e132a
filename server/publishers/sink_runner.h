// One sink at work: takes results out of their log, hands them to its publisher, tries again, and
// counts.
//
// Rows stay held in the log until they are delivered or given up; in a durable log the sink's place
// outlives the process, and a sink of the same name goes on there. A sink that waits for ever fills
// the log, and the plans behind it rest. A stop ends every wait at once, and rows that were not
// delivered then are not confirmed.
//
// Thread: any; the publisher is called on the runner's own thread. Callbacks are called there too.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "persistence/outbox/last_ids.h"
#include "server/node/result_log.h"
#include "server/publishers/publisher.h"

namespace pollux {

struct RetryOptions {
  std::chrono::milliseconds min{100};     ///< the first wait; each further one is twice as long
  std::chrono::milliseconds max{30'000};  ///< the longest wait
  uint64_t attempts = 10;                 ///< 0: for ever
  bool give_up = true;  ///< after so many attempts drop the rows; else go on for ever
};

/// The wait after the `failed`-th failure in a row: doubled each time, up to max, a random half
/// off.
std::chrono::milliseconds retry_wait(const RetryOptions& options, uint64_t failed, double random);

enum class SinkState : uint8_t { kRunning, kRetrying, kStopped };
std::string_view name_of(SinkState state);

struct SinkCounts {
  SinkState state = SinkState::kRunning;
  uint64_t published = 0;  ///< rows
  uint64_t failed = 0;     ///< attempts
  uint64_t dropped = 0;    ///< rows given up
  uint64_t lag_rows = 0;   ///< in the log and not yet delivered
  std::string last_error;  ///< empty: none so far
  int64_t last_error_ms = 0;
};

/// A log and the sink's place in it.
struct SinkInput {
  std::shared_ptr<ResultLog> log;
  std::unique_ptr<ResultLog::Hold> hold;  ///< the rows from there on are wanted
};

class SinkRunner {
 public:
  using Warn = std::function<void(const std::string& text)>;

  /// `open`: it lets rows out; see set_open().
  SinkRunner(std::string name, RetryOptions retry, std::unique_ptr<Publisher> publisher,
             SinkInput input, bool open, Warn warn);
  ~SinkRunner();

  /// Reads another log of the same stream from now on, beside the one it has, which may still get
  /// rows. Of the log before that, what is left is dropped.
  void follow(SinkInput input);
  bool reads(const ResultLog& log) const;

  /// While it is not open it lets nothing out, and passes over what the sink of that name on the
  /// other node has delivered. What is on its way when it closes may still arrive.
  void set_open(bool open);
  /// The sink of that name on the other node has delivered each plan's rows up to these.
  void note_known(const LastIds& known);
  /// What this one has delivered since it was started: each plan's last row.
  LastIds delivered() const;

  SinkCounts counts() const;
  /// Waits until all rows are delivered or dropped; false: not within this time.
  bool drain(std::chrono::steady_clock::time_point until);
  void stop();
  /// Behind stop(): the sink will not come back, and its logs need not keep anything for it.
  void forget_places();

 private:
  static constexpr size_t kInputsMax = 2;

  struct Input {
    std::shared_ptr<ResultLog> log;
    std::unique_ptr<ResultLog::Hold> hold;
    std::unique_ptr<ResultLog::Listener> listener;
    std::atomic<uint64_t> next = 0;
  };

  void add(SinkInput input);
  std::vector<std::shared_ptr<Input>> inputs() const;
  uint64_t lag() const;
  void run();
  bool wait_for_news();
  bool is_open() const;
  LastIds known() const;
  bool take_some(Input& input);
  bool pass_over(Input& input);
  bool note_unreadable(const Input& input, const absl::Status& error);
  bool deliver(std::span<const PublishedRow> rows);
  void advance(Input& input, uint64_t next);
  void note_delivered(const Published& published, std::span<const PublishedRow> rows);
  void note_last_rows(std::span<const PublishedRow> rows);
  bool note_failure(const Published& published, std::span<const PublishedRow> rows,
                    uint64_t failed);
  bool wait_before_retry(const Published& published, uint64_t failed);

  const std::string name_;
  const RetryOptions retry_;
  const std::unique_ptr<Publisher> publisher_;
  const size_t rows_per_read_;
  const Warn warn_;
  std::minstd_rand random_;  // the runner's thread

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Input>> inputs_;
  uint64_t news_ = 0;
  uint64_t seen_ = 0;
  SinkCounts counts_;
  LastIds known_;
  LastIds delivered_;
  bool open_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> halted_;  // stopping, or not open

  std::thread thread_;
};

}  // namespace pollux
