// Events from a file that grows, line by line, into the node.
//
// Each batch of lines is submitted under a number of its own and its place is noted before and
// behind it, so that no line is taken twice or left out while the node lives, however often the
// receiver is stopped and started. Lines that are no events are counted and told, and reading goes
// on behind them. When the plans are behind, or no plan takes the stream yet, it waits.
//
// Thread: any; it reads on a thread of its own, where `warn` is called.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "server/node/intake.h"
#include "server/receivers/file_follower.h"
#include "server/receivers/file_place.h"

namespace pollux {

struct FileReceiverOptions {
  enum class Format : uint8_t { kJson, kCsv };

  std::string name;
  std::string stream;
  std::string path;
  Format format = Format::kJson;
  bool header = true;          ///< CSV: the first line names the columns
  bool tailing = true;         ///< wait for more at the end of the file
  bool from_end = false;       ///< begin behind what is there when it is read for the first time
  std::string time_attribute;  ///< empty: _timestamp, timestamp or ts, or else the time of reading
  std::chrono::milliseconds poll{250};
  std::string place_path;  ///< where its place is kept
};

enum class ReceiverState : uint8_t {
  kRunning,
  kWaiting,   ///< for the file, for its stream, or for room
  kFinished,  ///< the end of a file that it does not tail
  kStopped,
};
std::string_view name_of(ReceiverState state);

struct ReceiverCounts {
  ReceiverState state = ReceiverState::kRunning;
  uint64_t events = 0;  ///< that the node took
  uint64_t batches = 0;
  uint64_t repeated = 0;  ///< batches that it had taken before
  uint64_t bad_rows = 0;
  uint64_t bytes = 0;  ///< read and dealt with
  std::string last_error;
};

class FileReceiver {
 public:
  using Warn = std::function<void(const std::string& text)>;

  FileReceiver(FileReceiverOptions options, Intake& intake, Warn warn);
  ~FileReceiver();

  ReceiverCounts counts() const;
  /// At once; what is under way is told apart by its number when a receiver goes on here.
  void stop();

 private:
  static constexpr size_t kBatchBytes = 256 * 1024;

  /// The answer to a submission, which may outlive the receiver.
  struct Answer {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Submitted> submitted;
    bool given_up = false;
  };

  void run();
  bool step();
  bool find_place();
  bool take(const FileFollower::Lines& lines);
  bool hand_over(const std::string& text, uint64_t begin);
  enum class Handed : uint8_t { kTaken, kAgain, kStop };
  Handed judge(const Submitted& submitted);
  std::optional<Submitted> submit(EventBatchPtr batch);
  std::shared_ptr<EventBatch> decode(const SchemaPtr& schema, const std::string& text,
                                     uint64_t begin);
  std::string header_line() const;
  void note_place();
  void note_waiting(std::string error);
  bool wait(std::chrono::milliseconds time);

  const FileReceiverOptions options_;
  Intake& intake_;
  const Warn warn_;

  // ---- the receiver's thread ----
  FileFollower follower_;
  FilePlace place_;
  bool has_place_ = false;
  bool discarding_ = false;         // inside a line that is too long
  std::shared_ptr<Answer> answer_;  // written under mutex_

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ReceiverCounts counts_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace pollux
