#include "server/grpc/publish_call.h"

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "pollux.pb.h"
#include "server/grpc/publish_request.h"
#include "server/grpc/wire.h"

namespace pollux {

namespace {

/// Blocks of the memory that a request is parsed into: small enough for malloc to reuse them.
constexpr size_t kParseBlockBytes = 64 * 1024;

class PublishCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                          public Call {
 public:
  using Call::Call;

  ~PublishCall() override {
    for (const Unanswered& request : unanswered_) give_back(request.bytes);
  }

  void begin() {
    if (!enter()) end_ = refusal();
    advance();
  }

  // ---- reactions ----

  void OnReadDone(bool ok) override {
    if (ok) take_request();
    {
      std::lock_guard lock(mutex_);
      reading_ = false;
      if (!ok) reads_done_ = true;
    }
    advance();
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      give_back(unanswered_.front().bytes);
      bytes_ -= unanswered_.front().bytes;
      unanswered_.pop_front();
      ++answered_;
      if (!ok) cancelled_ = true;
    }
    advance();
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    advance();
  }

  void OnDone() override { leave(); }

 private:
  enum class Due : uint8_t { kNothing, kRead, kWrite, kFinish };

  struct Unanswered {
    size_t bytes = 0;
    std::optional<v1::PublishReply> reply;
  };

  bool step() override {
    grpc::Status status;
    Due due = Due::kNothing;
    {
      std::lock_guard lock(mutex_);
      due = next_due(status);
    }
    switch (due) {
      case Due::kNothing:
        return false;
      case Due::kRead:
        StartRead(&request_);
        return true;
      case Due::kWrite:
        StartWrite(&reply_, write_options_);
        return true;
      case Due::kFinish:
        Finish(std::move(status));
        return false;
    }
    return false;
  }

  /// Marks what it returns as begun.
  Due next_due(grpc::Status& status) {
    if (finished_) return Due::kNothing;
    if (cancelled_) {
      if (writing_ || decoding_) return Due::kNothing;
      return finish(status, absl::CancelledError("the client is gone"));
    }
    if (!writing_ && !unanswered_.empty() && unanswered_.front().reply) {
      reply_ = serialize_message(*unanswered_.front().reply);
      write_options_ = {};
      // It may go out together with the next one, which follows at once. Not the first: it carries
      // the headers, and gRPC does not call a write with headers done before it is on the wire.
      bool followed = unanswered_.size() > 1 && unanswered_[1].reply;
      if (followed && answered_ > 0) write_options_.set_buffer_hint();
      writing_ = true;
      return Due::kWrite;
    }
    if (unanswered_.empty() && !decoding_) {
      if (!end_.ok()) return finish(status, end_);
      if (reads_done_) return finish(status, absl::OkStatus());
      if (stopping()) return finish(status, absl::UnavailableError(kServerStops));
    }
    if (!reading_ && !reads_done_ && end_.ok() && !stopping() && has_room()) {
      reading_ = true;
      return Due::kRead;
    }
    return Due::kNothing;
  }

  Due finish(grpc::Status& status, const absl::Status& as) {
    finished_ = true;
    status = to_grpc(as);
    return Due::kFinish;
  }

  bool has_room() const {
    const GrpcLimits& limits = state_->limits;
    if (unanswered_.empty()) return true;
    return unanswered_.size() < limits.requests_in_flight_max &&
           bytes_ < limits.stream_bytes_in_flight_max &&
           state_->counters.bytes_in_flight < limits.total_bytes_in_flight_max;
  }

  void give_back(size_t bytes) { state_->counters.bytes_in_flight -= bytes; }

  /// Only one at a time: the next read begins when this has ended.
  void take_request() {
    size_t bytes = request_.Length();
    uint64_t number = 0;
    {
      std::lock_guard lock(mutex_);
      decoding_ = true;
      number = answered_ + unanswered_.size();
      unanswered_.push_back({.bytes = bytes, .reply = {}});
      bytes_ += bytes;
    }
    state_->counters.bytes_in_flight += bytes;
    ++state_->counters.requests;
    state_->counters.request_bytes += bytes;
    bool parsed = decode_and_submit(number);
    std::lock_guard lock(mutex_);
    decoding_ = false;
    if (parsed) return;
    ++state_->counters.protocol_violations;
    unanswered_.pop_back();
    bytes_ -= bytes;
    give_back(bytes);
    end_ = absl::InvalidArgumentError("a message on the stream is no PublishRequest");
  }

  /// False when the message is none.
  bool decode_and_submit(uint64_t number) {
    google::protobuf::ArenaOptions blocks;
    blocks.start_block_size = kParseBlockBytes;
    blocks.max_block_size = kParseBlockBytes;
    google::protobuf::Arena arena(blocks);
    auto* request = google::protobuf::Arena::CreateMessage<v1::PublishRequest>(&arena);
    if (!parse_message(request_, *request)) return false;
    v1::PublishReply reply;
    std::optional<Submission> submission =
        to_submission(*request, state_->intake, state_->limits, reply);
    if (!submission) {
      answer(number, std::move(reply));
      return true;
    }
    auto self = std::static_pointer_cast<PublishCall>(shared_from_this());
    state_->intake.submit(*std::move(submission),
                          [self, number, producers = request->number()](Submitted submitted) {
                            v1::PublishReply outcome;
                            outcome.set_number(producers);
                            fill_reply(submitted, outcome);
                            if (self->answer(number, std::move(outcome))) {
                              self->state_->pump.wake(self->wake_up_);
                            }
                          });
    return true;
  }

  /// False when the call will go on by itself, because it is still decoding. Thread: any, the
  /// node's too.
  bool answer(uint64_t number, v1::PublishReply reply) {
    count(reply);
    std::lock_guard lock(mutex_);
    POLLUX_CHECK(number >= answered_ && number - answered_ < unanswered_.size());
    unanswered_[number - answered_].reply = std::move(reply);
    return !decoding_;
  }

  void count(const v1::PublishReply& reply) {
    GrpcCounters& counters = state_->counters;
    if (reply.has_rejected()) {
      ++counters.requests_rejected;
    } else if (reply.accepted().duplicate()) {
      ++counters.requests_duplicate;
    } else {
      counters.events_accepted += reply.accepted().events();
    }
  }

  // Each belongs to gRPC while its operation runs.
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  grpc::WriteOptions write_options_;

  std::mutex mutex_;
  std::deque<Unanswered> unanswered_;  // in the order of their requests
  uint64_t answered_ = 0;              // number of the first of them
  size_t bytes_ = 0;                   // of all of them
  bool reading_ = false;
  bool decoding_ = false;
  bool writing_ = false;
  bool reads_done_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
  absl::Status end_;  // not OK: nothing more is read, and the call ends so
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* begin_publish(
    std::shared_ptr<ServiceState> state) {
  auto call = std::make_shared<PublishCall>(std::move(state));
  call->begin();
  return call.get();  // owns itself until OnDone
}

}  // namespace pollux
