#include "server/tool/send/grpc_channel.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "server/grpc/client.h"
#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

using Clock = std::chrono::steady_clock;

/// A server that answers nothing for so long while batches are on the way is taken for gone.
constexpr std::chrono::seconds kSilenceMax{60};
constexpr std::chrono::seconds kWatchInterval{1};

BatchReply to_reply(const PublishOutcome& outcome) {
  BatchReply reply{.number = outcome.number, .status = outcome.status};
  reply.duplicate = outcome.duplicate;
  reply.expected_number = outcome.expected_number;
  reply.retry_after_ms = outcome.retry_after_ms;
  for (const BadRow& bad : outcome.bad_rows) {
    reply.details.push_back("row " + std::to_string(bad.row) + " of batch " +
                            std::to_string(outcome.number) + ": " + printable(bad.field) + ": " +
                            printable(bad.reason));
  }
  return reply;
}

class GrpcChannel final : public BatchChannel {
 public:
  explicit GrpcChannel(OnReply on_reply) : on_reply_(std::move(on_reply)) {}

  absl::Status open(const GrpcChannelOptions& options) {
    auto client = PublishClient::open({.target = options.target,
                                       .stream = options.stream,
                                       .producer = options.producer,
                                       .batches_in_flight_max = options.window},
                                      [this](const PublishOutcome& outcome) {
                                        heard_ = Clock::now();
                                        on_reply_(to_reply(outcome));
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
  absl::Status flush() override { return client_->flush(); }

 private:
  void watch(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kWatchInterval, [&] { return stop.stop_requested(); })) {
      if (client_->unanswered() != 0 && Clock::now() - heard_.load() > kSilenceMax) {
        client_->cancel();
        return;
      }
    }
  }

  const OnReply on_reply_;
  std::atomic<Clock::time_point> heard_ = Clock::now();
  std::unique_ptr<PublishClient> client_;
  std::jthread watch_;  // last: it uses the client
};

}  // namespace

absl::StatusOr<std::unique_ptr<BatchChannel>> open_grpc_channel(const GrpcChannelOptions& options,
                                                                BatchChannel::OnReply on_reply) {
  auto channel = std::make_unique<GrpcChannel>(std::move(on_reply));
  if (absl::Status status = channel->open(options); !status.ok()) return status;
  return std::unique_ptr<BatchChannel>(std::move(channel));
}

}  // namespace pollux::tool
