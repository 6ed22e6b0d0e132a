#include "server/grpc/subscribe_client.h"

#include <grpcpp/grpcpp.h>

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

/// Largest message of results that is taken: a single row may be large.
constexpr int kResultsBytesMax = 64 << 20;
/// A client trusts no row count beyond this.
constexpr BatchLimits kResultsLimits{.rows_max = 1 << 20};

}  // namespace

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
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kResultsBytesMax);
  auto channel = connected_channel(options.target, options.connect_timeout_ms, arguments);
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
