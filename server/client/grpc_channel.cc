#include "server/client/grpc_channel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "server/client/publish_client.h"

namespace pollux {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kWatchIntervalMax{1'000};

BatchReply to_reply(const PublishOutcome& outcome) {
  BatchReply reply{.number = outcome.number, .status = outcome.status, .id = outcome.id};
  reply.duplicate = outcome.duplicate;
  reply.expected_number = outcome.expected_number;
  reply.retry_after_ms = outcome.retry_after_ms;
  for (const BadRow& bad : outcome.bad_rows) {
    reply.details.push_back("row " + std::to_string(bad.row) + " of batch " +
                            std::to_string(outcome.number) + ": " + bad.field + ": " + bad.reason);
  }
  return reply;
}

class GrpcChannel final : public BatchChannel {
 public:
  explicit GrpcChannel(std::chrono::milliseconds silence_max) : silence_max_(silence_max) {}

  absl::Status open(const GrpcChannelOptions& options, const std::string& target,
                    Callbacks callbacks) {
    auto client = PublishClient::open(
        {.target = target,
         .stream = options.stream,
         .producer = options.producer,
         .batches_in_flight_max = options.batches_in_flight_max,
         .connect_timeout_ms = static_cast<uint32_t>(options.connect_timeout.count()),
         .ping_ms = static_cast<uint32_t>(options.ping_interval.count())},
        [this, on_reply = std::move(callbacks.on_reply)](const PublishOutcome& outcome) {
          heard_ = Clock::now();
          on_reply(to_reply(outcome));
        },
        [this, on_end = std::move(callbacks.on_end), target](const absl::Status& status) {
          on_end(how_it_ended(target, status));
        });
    if (!client.ok()) return client.status();
    client_ = *std::move(client);
    watch_ = std::jthread([this](std::stop_token stop) { watch(std::move(stop)); });
    return absl::OkStatus();
  }

  absl::Status send(const EventBatch& batch, uint64_t number) override {
    if (client_->unanswered() == 0) heard_ = Clock::now();
    return client_->send(batch, number);
  }
  void cancel() override { client_->cancel(); }

 private:
  absl::Status how_it_ended(const std::string& target, const absl::Status& status) const {
    if (silent_) return absl::DeadlineExceededError(target + " answers nothing");
    if (status.ok()) return absl::UnavailableError(target + " ended the stream");
    return {status.code(), target + ": " + std::string(status.message())};
  }

  void watch(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    const auto interval = std::min(kWatchIntervalMax, silence_max_ / 4);
    while (!stopped.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) {
      if (client_->unanswered() != 0 && Clock::now() - heard_.load() > silence_max_) {
        silent_ = true;
        client_->cancel();
        return;
      }
    }
  }

  const std::chrono::milliseconds silence_max_;
  std::atomic<Clock::time_point> heard_ = Clock::now();
  std::atomic<bool> silent_ = false;
  std::unique_ptr<PublishClient> client_;
  std::jthread watch_;  // last: it uses the client
};

}  // namespace

absl::StatusOr<std::unique_ptr<BatchChannel>> open_grpc_channel(const GrpcChannelOptions& options,
                                                                const std::string& target,
                                                                BatchChannel::Callbacks callbacks) {
  auto channel = std::make_unique<GrpcChannel>(options.silence_max);
  if (absl::Status status = channel->open(options, target, std::move(callbacks)); !status.ok()) {
    return status;
  }
  return std::unique_ptr<BatchChannel>(std::move(channel));
}

}  // namespace pollux
