#include "server/client/producer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "server/client/grpc_channel.h"
#include "server/client/numbered_batches.h"

namespace pollux {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstDelay{20};
constexpr std::chrono::milliseconds kDelayMax{2'000};
constexpr std::chrono::milliseconds kPingIntervalMin{1'000};
constexpr size_t kTargetsMax = 2;

/// What a server does not understand it will not understand when it comes again.
bool is_final(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

std::string mistakes_in(const ProducerOptions& options) {
  std::string mistakes;
  auto require = [&](bool good, const char* text) {
    if (!good) mistakes += (mistakes.empty() ? "" : "; ") + std::string(text);
  };
  require(!options.targets.empty() && options.targets.size() <= kTargetsMax,
          "targets: one or two are needed");
  require(std::find(options.targets.begin(), options.targets.end(), "") == options.targets.end(),
          "targets: one is empty");
  require(!options.stream.empty(), "stream: empty");
  require(!options.producer.empty(), "producer: empty");
  require(options.first_number >= 1, "first_number: at least 1");
  require(options.batches_in_flight_max >= 1, "batches_in_flight_max: at least 1");
  require(options.ping_interval >= kPingIntervalMin, "ping_interval: at least a second");
  return mistakes;
}

}  // namespace

class Producer::Impl {
 public:
  Impl(const ProducerOptions& options, ProducerCallbacks callbacks, OpenChannel open)
      : options_(options),
        callbacks_(std::move(callbacks)),
        open_(std::move(open)),
        batches_(options.first_number),
        thread_([this] { run(); }) {}

  ~Impl() { stop(); }

  absl::Status send(EventBatchPtr batch) {
    const size_t bytes = batch->bytes_held();
    Lock lock(mutex_);
    for_callers_.wait(lock, [&] { return closed_ || !over_.ok() || has_room(bytes); });
    if (!over_.ok()) return over_;
    if (closed_) return absl::FailedPreconditionError("the producer was closed");
    // Nothing on the way: a pause of the caller's is no lack of progress.
    if (batches_.empty()) progress_ = Clock::now();
    counters_.sent += batch->rows();
    batches_.add(std::move(batch), bytes);
    wake_thread();
    return absl::OkStatus();
  }

  absl::Status flush() {
    Lock lock(mutex_);
    for_callers_.wait(lock, [&] { return !over_.ok() || stopped_ || batches_.empty(); });
    return over_;
  }

  absl::Status close() {
    {
      Lock lock(mutex_);
      closed_ = true;
      for_callers_.notify_all();
    }
    absl::Status flushed = flush();
    stop();
    return flushed;
  }

  ProducerCounters counters() const {
    Lock lock(mutex_);
    return counters_;
  }

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Verdict = NumberedBatches::Verdict;

  struct Arrived {
    BatchReply reply;
    Clock::time_point at;
  };
  enum class Trouble : uint8_t { kNone, kLater, kBroken };

  // ---- callers ----

  bool has_room(size_t bytes) const {
    return batches_.empty() || (batches_.size() < options_.buffered_batches_max &&
                                batches_.bytes() + bytes <= options_.buffered_bytes_max);
  }

  void stop() {
    {
      Lock lock(mutex_);
      closed_ = stopped_ = true;
      if (channel_ != nullptr) channel_->cancel();
      wake_thread();
      for_callers_.notify_all();
    }
    std::lock_guard one(joins_);
    if (thread_.joinable()) thread_.join();
  }

  // ---- the channel's threads ----

  void on_reply(BatchReply reply) {
    const Clock::time_point now = Clock::now();
    Lock lock(mutex_);
    arrived_.push_back({std::move(reply), now});
    wake_thread();
  }

  void on_end(const absl::Status& why) {
    Lock lock(mutex_);
    end_ = why;
    wake_thread();
  }

  // ---- its own thread ----

  void wake_thread() {
    changed_ = true;
    for_thread_.notify_one();
  }

  void run() {
    Lock lock(mutex_);
    while (over_.ok() && !stopped_) {
      changed_ = false;
      take_replies(lock);
      if (!over_.ok() || stopped_) break;
      if (trouble_ == Trouble::kBroken) {
        turn(lock);
      } else if (trouble_ == Trouble::kLater && batches_.on_the_way() == 0) {
        send_later(lock);
      } else if (trouble_ == Trouble::kNone && channel_ == nullptr && !batches_.empty()) {
        connect(lock);
      } else if (trouble_ == Trouble::kNone && batches_.has_next() &&
                 batches_.on_the_way() < options_.batches_in_flight_max) {
        transmit(lock);
      } else {
        for_thread_.wait(lock, [&] { return changed_; });
      }
    }
    for_callers_.notify_all();
    drop_channel(lock);
  }

  void connect(Lock& lock) {
    const std::string& target = options_.targets[target_];
    lock.unlock();
    auto opened = open_(target, {[this](BatchReply reply) { on_reply(std::move(reply)); },
                                 [this](const absl::Status& why) { on_end(why); }});
    lock.lock();
    if (!opened.ok()) return note(Trouble::kBroken, opened.status());
    channel_ = *std::move(opened);
    if (connected_ != nullptr) {
      ++counters_.reconnects;
      if (*connected_ != target) ++counters_.failovers;
    }
    connected_ = &target;
  }

  void transmit(Lock& lock) {
    NumberedBatches::Batch& batch = batches_.send_next();
    batch.sent = Clock::now();
    const EventBatchPtr events = batch.batch;
    const uint64_t number = batch.number;
    lock.unlock();
    absl::Status sent = channel_->send(*events, number);
    lock.lock();
    if (!sent.ok()) note(Trouble::kBroken, sent);
  }

  void take_replies(Lock& lock) {
    while (!arrived_.empty() && over_.ok()) {
      const Arrived one = std::move(arrived_.front());
      arrived_.pop_front();
      take(one, lock);
    }
    if (!end_.ok()) note(Trouble::kBroken, end_);
  }

  void take(const Arrived& arrived, Lock& lock) {
    const BatchReply& reply = arrived.reply;
    switch (batches_.take(reply)) {
      case Verdict::kNothing:
        return;
      case Verdict::kAcked:
        return acknowledge(arrived, lock);
      case Verdict::kLater:
        if (absl::IsResourceExhausted(reply.status)) {
          counters_.put_off += batches_.numbered(reply.number).batch->rows();
        }
        retry_after_ = std::max(retry_after_, std::chrono::milliseconds(reply.retry_after_ms));
        return note(Trouble::kLater,
                    reply.status.ok() ? absl::AbortedError("answers are missing") : reply.status);
      case Verdict::kTurn:
        return note(Trouble::kBroken, absl::UnavailableError(reply.status.message()));
      case Verdict::kRefused:
        return refuse(reply, lock);
      case Verdict::kConflict:
        over_ = batches_.conflict(reply);
    }
  }

  void acknowledge(const Arrived& arrived, Lock& lock) {
    const NumberedBatches::Batch& batch = batches_.front();
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(arrived.at - batch.sent);
    const ProducerCallbacks::Acked acked{.number = batch.number,
                                         .id = arrived.reply.id,
                                         .events = batch.batch->rows(),
                                         .duplicate = arrived.reply.duplicate,
                                         .took = std::max(took, std::chrono::microseconds(0))};
    lock.unlock();
    if (callbacks_.on_acked) callbacks_.on_acked(acked);
    lock.lock();
    counters_.acked += acked.events;
    if (acked.duplicate) counters_.duplicates += acked.events;
    batches_.acknowledge_front();
    progressed(arrived.at);
  }

  void refuse(const BatchReply& reply, Lock& lock) {
    const ProducerCallbacks::Refused refused{reply.number, batches_.front().batch, reply.status,
                                             reply.details};
    lock.unlock();
    if (callbacks_.on_refused) callbacks_.on_refused(refused);
    lock.lock();
    counters_.refused += refused.batch->rows();
    if (!options_.go_on_after_refusal) {
      over_ = reply.status;
      return;
    }
    batches_.drop_front();
    progressed(Clock::now());
  }

  void progressed(Clock::time_point at) {
    progress_ = std::max(progress_, at);
    attempts_ = 0;
    for_callers_.notify_all();
  }

  void note(Trouble trouble, const absl::Status& why) {
    if (trouble == Trouble::kBroken && is_final(why)) over_ = why;
    if (trouble <= trouble_) return;
    trouble_ = trouble;
    why_ = why;
  }

  /// The connection is of no use: what is unanswered goes to the other target, if there is one.
  void turn(Lock& lock) {
    drop_channel(lock);
    take_replies(lock);
    if (!over_.ok()) return;
    trouble_ = Trouble::kNone;
    end_ = absl::OkStatus();
    batches_.send_again();
    target_ = (target_ + 1) % options_.targets.size();
    if (batches_.empty()) return;  // the next batch connects
    if (attempts_ == 0) tell("connecting again", lock);
    // At once the first time: most often the other one is there.
    if (!try_again() || attempts_++ == 0) return;
    pause(lock, std::chrono::milliseconds(0));
  }

  /// The server lives but does not take it now.
  void send_later(Lock& lock) {
    trouble_ = Trouble::kNone;
    batches_.send_again();
    if (!try_again()) return;
    ++attempts_;
    pause(lock, std::exchange(retry_after_, std::chrono::milliseconds(0)));
  }

  /// False: it is over.
  bool try_again() {
    if (stopped_) return false;
    if (Clock::now() - progress_ <= options_.retry_for) return true;
    std::string where = options_.targets.front();
    if (options_.targets.size() > 1) where += " or " + options_.targets.back();
    over_ = absl::Status(why_.code(), "gave up: nothing was acknowledged for " +
                                          std::to_string(options_.retry_for.count()) + " ms by " +
                                          where + ": " + std::string(why_.message()));
    return false;
  }

  /// Ever longer; not for long enough to miss the time to give up.
  void pause(Lock& lock, std::chrono::milliseconds at_least) {
    const uint32_t doublings = std::min<uint32_t>(attempts_ > 0 ? attempts_ - 1 : 0, 10);
    const auto delay = std::min(kFirstDelay * (1 << doublings), kDelayMax);
    // Producers that lost the same server do not all come back in the same moment.
    std::uniform_int_distribution<int64_t> jittered(delay.count() / 2, delay.count());
    const auto wait = std::max(std::chrono::milliseconds(jittered(random_)), at_least);
    const Clock::time_point until =
        std::min(Clock::now() + wait, std::max(Clock::now(), progress_ + options_.retry_for));
    for_thread_.wait_until(lock, until, [&] { return stopped_; });
  }

  void drop_channel(Lock& lock) {
    std::unique_ptr<BatchChannel> channel = std::move(channel_);
    lock.unlock();
    channel.reset();
    lock.lock();
  }

  void tell(const std::string& what_now, Lock& lock) {
    if (!callbacks_.on_trouble) return;
    const std::string text =
        std::string(why_.message()) + "; " + what_now +
        (options_.targets.size() > 1 ? " to " + options_.targets[target_] : "");
    lock.unlock();
    callbacks_.on_trouble(text);
    lock.lock();
  }

  const ProducerOptions options_;
  const ProducerCallbacks callbacks_;
  const OpenChannel open_;

  mutable std::mutex mutex_;  // not held in callbacks, nor while a channel is used
  std::condition_variable for_callers_;
  std::condition_variable for_thread_;
  NumberedBatches batches_;
  std::deque<Arrived> arrived_;
  absl::Status end_;   // of the channel, told by itself
  absl::Status over_;  // not OK: it is over
  ProducerCounters counters_;
  std::unique_ptr<BatchChannel> channel_;  // made, used and dropped by the thread
  bool changed_ = false;                   // the thread has something to look at
  bool closed_ = false;                    // nothing more is taken
  bool stopped_ = false;                   // the thread is to end
  Clock::time_point progress_;             // the last answer, or when there was nothing to wait for

  // ---- of the thread ----
  Trouble trouble_ = Trouble::kNone;
  absl::Status why_;  // of the trouble, also of the last one
  std::chrono::milliseconds retry_after_{0};
  uint32_t attempts_ = 0;  // since the last answer
  size_t target_ = 0;
  const std::string* connected_ = nullptr;  // the target of the last connection
  std::minstd_rand random_{std::random_device{}()};

  std::mutex joins_;
  std::thread thread_;  // last: it uses all of the above
};

absl::StatusOr<std::unique_ptr<Producer>> Producer::start(const ProducerOptions& options,
                                                          ProducerCallbacks callbacks) {
  const GrpcChannelOptions channel{.stream = options.stream,
                                   .producer = options.producer,
                                   .batches_in_flight_max = options.batches_in_flight_max,
                                   .connect_timeout = options.connect_timeout,
                                   .ping_interval = options.ping_interval};
  return start(options, std::move(callbacks),
               [channel](const std::string& target, BatchChannel::Callbacks on) {
                 return open_grpc_channel(channel, target, std::move(on));
               });
}

absl::StatusOr<std::unique_ptr<Producer>> Producer::start(const ProducerOptions& options,
                                                          ProducerCallbacks callbacks,
                                                          OpenChannel open) {
  if (std::string mistakes = mistakes_in(options); !mistakes.empty()) {
    return absl::InvalidArgumentError(mistakes);
  }
  return std::unique_ptr<Producer>(
      new Producer(std::make_unique<Impl>(options, std::move(callbacks), std::move(open))));
}

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::~Producer() = default;
absl::Status Producer::send(EventBatchPtr batch) { return impl_->send(std::move(batch)); }
absl::Status Producer::flush() { return impl_->flush(); }
absl::Status Producer::close() { return impl_->close(); }
ProducerCounters Producer::counters() const { return impl_->counters(); }

}  // namespace pollux
