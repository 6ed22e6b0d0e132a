// Feeds over gRPC: columns by the client that others use too, rows by what protoc makes.
#include <grpcpp/grpcpp.h>

#include <stdexcept>
#include <thread>
#include <utility>

#include "pollux.grpc.pb.h"
#include "server/client/publish_client.h"
#include "tests/bench/ingest/feed.h"

namespace pollux::bench {
namespace {

std::string target_of(uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

class ColumnsFeed final : public Feed {
 public:
  ColumnsFeed(const FeedOptions& options, const Requests& requests)
      : bytes_(requests.message(0, Form::kColumns).size()), apart_ns_(options.apart_ns) {
    for (size_t i = 0; i < requests.size(); ++i) batches_.push_back(requests.batch(i));
    PublishOptions publish{.target = target_of(options.port), .stream = Requests::kStream};
    publish.batches_in_flight_max = options.window;
    auto client = PublishClient::open(publish, [this, rows = requests.rows()](auto& outcome) {
      if (!outcome.status.ok() || outcome.events != rows) refused_ = true;
      meter().acked();
    });
    if (!client.ok()) throw std::runtime_error(std::string(client.status().message()));
    client_ = *std::move(client);
  }

  void run(const std::atomic<bool>& stop) override {
    int64_t due = steady_ns();
    for (size_t next = 0; !stop; next = (next + 1) % batches_.size()) {
      due = apart_ns_ == 0 ? steady_ns() : wait_until(due + apart_ns_);
      meter().sent(due);
      check(client_->send(*batches_[next], 0));
    }
    check(client_->close());
    if (refused_) throw std::runtime_error("the server refused a batch");
  }

  size_t request_bytes() const override { return bytes_; }

 private:
  static void check(const absl::Status& status) {
    if (!status.ok()) throw std::runtime_error(std::string(status.message()));
  }

  static int64_t wait_until(int64_t due_ns) {
    std::this_thread::sleep_until(
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(due_ns)));
    return due_ns;
  }

  size_t bytes_;
  int64_t apart_ns_;
  std::vector<EventBatchPtr> batches_;
  std::atomic<bool> refused_ = false;
  std::unique_ptr<PublishClient> client_;
};

class RowsFeed final : public Feed {
 public:
  RowsFeed(const FeedOptions& options, const Requests& requests)
      : window_(options.window),
        rows_(requests.rows()),
        stub_(v1::Pollux::NewStub(
            grpc::CreateChannel(target_of(options.port), grpc::InsecureChannelCredentials()))) {
    for (size_t i = 0; i < requests.size(); ++i) {
      messages_.emplace_back().ParseFromString(requests.message(i, Form::kRows));
    }
    call_ = stub_->Publish(&context_);
  }

  void run(const std::atomic<bool>& stop) override {
    std::thread reader([this] { read(); });
    for (size_t next = 0; !stop && !ended_; next = (next + 1) % messages_.size()) {
      wait_for_room();
      meter().sent();
      if (!call_->Write(messages_[next])) break;
    }
    call_->WritesDone();
    reader.join();
    grpc::Status status = call_->Finish();
    if (!status.ok()) throw std::runtime_error(status.error_message());
    if (refused_) throw std::runtime_error("the server refused a batch");
  }

  size_t request_bytes() const override { return messages_[0].ByteSizeLong(); }

 private:
  void wait_for_room() {
    for (uint64_t answers = meter().answers(); !ended_ && meter().sends() - answers >= window_;
         answers = meter().answers()) {
      replies_.wait(static_cast<uint32_t>(answers));
    }
  }

  void read() {
    v1::PublishReply reply;
    while (call_->Read(&reply)) {
      if (reply.accepted().events() != rows_) refused_ = true;
      meter().acked();
      replies_.store(static_cast<uint32_t>(meter().answers()));
      replies_.notify_one();
    }
    ended_ = true;
    ++replies_;
    replies_.notify_one();
  }

  const uint32_t window_;
  const uint32_t rows_;
  std::vector<v1::PublishRequest> messages_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Pollux::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PublishRequest, v1::PublishReply>> call_;
  std::atomic<uint32_t> replies_ = 0;  // changes with each: what a full window waits for
  std::atomic<bool> ended_ = false;
  std::atomic<bool> refused_ = false;
};

}  // namespace

std::unique_ptr<Feed> make_grpc_feed(const FeedOptions& options, const Requests& requests) {
  if (options.form == Form::kColumns) return std::make_unique<ColumnsFeed>(options, requests);
  return std::make_unique<RowsFeed>(options, requests);
}

}  // namespace pollux::bench
