#include "server/client/publish_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "pollux.grpc.pb.h"
#include "server/client/connected_channel.h"
#include "server/grpc/batch_codec.h"
#include "server/grpc/wire.h"

namespace pollux {

namespace {

PublishOutcome to_outcome(const v1::PublishReply& reply) {
  PublishOutcome outcome;
  outcome.number = reply.number();
  if (reply.has_accepted()) {
    const v1::Accepted& accepted = reply.accepted();
    outcome.events = accepted.events();
    outcome.id = {Epoch{accepted.epoch()}, Position{accepted.position()}};
    outcome.duplicate = accepted.duplicate();
    return outcome;
  }
  const v1::Rejected& rejected = reply.rejected();
  bool known = rejected.code() >= 1 && rejected.code() <= 16;
  outcome.status = {
      known ? static_cast<absl::StatusCode>(rejected.code()) : absl::StatusCode::kUnknown,
      rejected.message()};
  outcome.expected_number = rejected.expected_number();
  outcome.retry_after_ms = rejected.retry_after_ms();
  outcome.bad_row_faults = rejected.bad_row_faults();
  for (const v1::BadRow& bad : rejected.bad_rows()) {
    outcome.bad_rows.push_back({bad.row(), bad.field(), bad.reason()});
  }
  return outcome;
}

}  // namespace

class PublishClient::Stream {
 public:
  Stream(const PublishOptions& options, const std::shared_ptr<grpc::Channel>& channel,
         OnReply on_reply, OnEnd on_end)
      : options_(options),
        stub_(v1::Pollux::NewStub(channel)),
        on_reply_(std::move(on_reply)),
        on_end_(std::move(on_end)),
        calls_(stub_->Publish(&context_)),
        reader_([this] { read(); }) {}

  ~Stream() {
    context_.TryCancel();
    reader_.join();
  }

  absl::Status send(const EventBatch& batch, uint64_t number) {
    if (closed_) return absl::FailedPreconditionError("the stream was closed");
    request_.Clear();
    request_.set_stream(options_.stream);
    request_.set_producer(options_.producer);
    request_.set_number(number);
    request_.set_one_chunk(batch.one_chunk());
    if (batch.rows() > 0) encode_columns(batch, 0, batch.rows(), *request_.mutable_columns());
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_ || unanswered_ < options_.batches_in_flight_max; });
      if (ended_) return how_it_ended();
      ++unanswered_;
    }
    if (calls_->Write(request_)) return absl::OkStatus();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
    return how_it_ended();
  }

  absl::Status flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || unanswered_ == 0; });
    return unanswered_ == 0 ? absl::OkStatus() : how_it_ended();
  }

  absl::Status close() {
    if (!std::exchange(closed_, true)) calls_->WritesDone();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
    return status_;
  }

  void cancel() { context_.TryCancel(); }

  uint64_t unanswered() const {
    std::lock_guard lock(mutex_);
    return unanswered_;
  }

 private:
  void read() {
    v1::PublishReply reply;
    while (calls_->Read(&reply)) {
      on_reply_(to_outcome(reply));
      {
        std::lock_guard lock(mutex_);
        if (unanswered_ > 0) --unanswered_;
      }
      changed_.notify_all();
    }
    absl::Status status = from_grpc(calls_->Finish());
    {
      std::lock_guard lock(mutex_);
      status_ = status;
      ended_ = true;
    }
    changed_.notify_all();
    if (on_end_) on_end_(status);
  }

  absl::Status how_it_ended() const {
    return status_.ok() ? absl::UnavailableError("the server ended the stream") : status_;
  }

  const PublishOptions options_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Pollux::Stub> stub_;
  const OnReply on_reply_;
  const OnEnd on_end_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PublishRequest, v1::PublishReply>> calls_;
  v1::PublishRequest request_;  // its memory is used again
  bool closed_ = false;         // of the sending thread

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t unanswered_ = 0;
  bool ended_ = false;
  absl::Status status_;

  std::thread reader_;  // last: it uses all of the above
};

absl::StatusOr<std::unique_ptr<PublishClient>> PublishClient::open(const PublishOptions& options,
                                                                   OnReply on_reply, OnEnd on_end) {
  grpc::ChannelArguments arguments;
  if (options.ping_ms > 0) {
    const int ping_ms = static_cast<int>(options.ping_ms);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ping_ms);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, std::max(ping_ms / 2, 1));
    // Also while a server holds its answers back for want of room.
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  auto channel = connected_channel(options.target, options.connect_timeout_ms, arguments);
  if (!channel.ok()) return channel.status();
  return std::unique_ptr<PublishClient>(new PublishClient(
      std::make_unique<Stream>(options, *channel, std::move(on_reply), std::move(on_end))));
}

PublishClient::PublishClient(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
PublishClient::~PublishClient() = default;
absl::Status PublishClient::send(const EventBatch& batch, uint64_t number) {
  return stream_->send(batch, number);
}
absl::Status PublishClient::flush() { return stream_->flush(); }
absl::Status PublishClient::close() { return stream_->close(); }
void PublishClient::cancel() { stream_->cancel(); }
uint64_t PublishClient::unanswered() const { return stream_->unanswered(); }

}  // namespace pollux
