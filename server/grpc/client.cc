#include "server/grpc/client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "pollux.grpc.pb.h"
#include "server/grpc/batch_codec.h"
#include "server/grpc/wire.h"

namespace pollux {

namespace {

/// Largest message of results that is taken: a single row may be large.
constexpr int kResultsBytesMax = 64 << 20;
/// A client trusts no row count beyond this.
constexpr BatchLimits kResultsLimits{.rows_max = 1 << 20};

/// A channel that is connected, each its own connection.
absl::StatusOr<std::shared_ptr<grpc::Channel>> connect(const std::string& target,
                                                       uint32_t timeout_ms) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kResultsBytesMax);
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  auto until = std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms);
  if (!channel->WaitForConnected(until)) {
    return absl::UnavailableError("cannot connect to " + target + " within " +
                                  std::to_string(timeout_ms) + " ms");
  }
  return channel;
}

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

// ---- PublishClient ----

class PublishClient::Stream {
 public:
  Stream(const PublishOptions& options, const std::shared_ptr<grpc::Channel>& channel,
         OnReply on_reply)
      : options_(options),
        stub_(v1::Pollux::NewStub(channel)),
        on_reply_(std::move(on_reply)),
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
      status_ = std::move(status);
      ended_ = true;
    }
    changed_.notify_all();
  }

  absl::Status how_it_ended() const {
    return status_.ok() ? absl::UnavailableError("the server ended the stream") : status_;
  }

  const PublishOptions options_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Pollux::Stub> stub_;
  const OnReply on_reply_;
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
                                                                   OnReply on_reply) {
  auto channel = connect(options.target, options.connect_timeout_ms);
  if (!channel.ok()) return channel.status();
  return std::unique_ptr<PublishClient>(
      new PublishClient(std::make_unique<Stream>(options, *channel, std::move(on_reply))));
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

// ---- SubscribeClient ----

std::string ReceivedResults::id(uint32_t row) const {
  return plan + "/" + std::to_string(cause.epoch.value) + "." +
         std::to_string(cause.position.value) + "." + std::to_string(ordinals.at(row));
}

class SubscribeClient::Stream {
 public:
  Stream(const SubscribeOptions& options, const std::shared_ptr<grpc::Channel>& channel,
         OnResults on_results)
      : stream_(options.stream),
        stub_(v1::Pollux::NewStub(channel)),
        on_results_(std::move(on_results)) {
    v1::SubscribeRequest request;
    request.set_stream(options.stream);
    request.set_after_id(options.after_id);
    results_ = stub_->Subscribe(&context_, request);
    // Comes as soon as the subscription stands, and together with its end when it is refused.
    results_->WaitForInitialMetadata();
    reader_ = std::thread([this] { read(); });
  }

  ~Stream() {
    cancel();
    reader_.join();
  }

  void cancel() {
    context_.TryCancel();
    (void)wait();  // how it ended is known: so
  }

  bool stands() const { return context_.GetServerInitialMetadata().count(kSubscribedKey) > 0; }

  absl::Status wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
    return status_;
  }

 private:
  void read() {
    v1::Results results;
    absl::Status broken;
    while (broken.ok() && results_->Read(&results)) broken = deliver(results);
    if (!broken.ok()) context_.TryCancel();
    absl::Status ended = from_grpc(results_->Finish());
    {
      std::lock_guard lock(mutex_);
      status_ = broken.ok() ? std::move(ended) : std::move(broken);
      ended_ = true;
    }
    changed_.notify_all();
  }

  absl::Status deliver(const v1::Results& results) {
    auto schema = schema_of_columns(results.columns(), stream_);
    if (!schema.ok()) return schema.status();
    BatchFault fault;
    ReceivedResults received;
    received.plan = results.plan();
    received.cause = {Epoch{results.epoch()}, Position{results.position()}};
    received.ordinals.assign(results.ordinals().begin(), results.ordinals().end());
    received.batch = decode_columns(results.columns(), *schema, kResultsLimits, fault);
    if (received.batch == nullptr) return absl::DataLossError("results: " + to_text(fault));
    if (received.ordinals.size() != received.batch->rows()) {
      return absl::DataLossError("results: not one ordinal for each row");
    }
    on_results_(received);
    return absl::OkStatus();
  }

  const std::string stream_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Pollux::Stub> stub_;
  const OnResults on_results_;
  std::unique_ptr<grpc::ClientReader<v1::Results>> results_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  absl::Status status_;

  std::thread reader_;
};

absl::StatusOr<std::unique_ptr<SubscribeClient>> SubscribeClient::open(
    const SubscribeOptions& options, OnResults on_results) {
  auto channel = connect(options.target, options.connect_timeout_ms);
  if (!channel.ok()) return channel.status();
  auto stream = std::make_unique<Stream>(options, *channel, std::move(on_results));
  if (!stream->stands()) {
    absl::Status refused = stream->wait();
    return refused.ok() ? absl::InternalError("the server ended the subscription") : refused;
  }
  return std::unique_ptr<SubscribeClient>(new SubscribeClient(std::move(stream)));
}

SubscribeClient::SubscribeClient(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
SubscribeClient::~SubscribeClient() { cancel(); }
void SubscribeClient::cancel() { stream_->cancel(); }
absl::Status SubscribeClient::wait() { return stream_->wait(); }

}  // namespace pollux
