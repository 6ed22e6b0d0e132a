#include "server/grpc/subscribe_call.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <optional>
#include <utility>

#include "pollux.pb.h"
#include "server/formats/row_error.h"
#include "server/grpc/batch_codec.h"
#include "server/grpc/wire.h"

namespace pollux {

namespace {

/// "the oldest is ID", or that there is none, from `from` on.
std::string oldest_of(const ResultLog& log, uint64_t from) {
  ResultLog::Read oldest = log.read(from, 1);
  if (oldest.forgotten) oldest = log.read(oldest.next, 1);
  if (oldest.slices.empty()) return "the log holds none now";
  const ResultSlice& slice = *oldest.slices.front();
  auto row = static_cast<uint32_t>(from > slice.first ? from - slice.first : 0);
  return "the oldest is " + result_id(slice, std::min(row, slice.batch->rows() - 1));
}

/// Has an id the form "tenant/plan/epoch.position.ordinal"?
bool looks_like_id(std::string_view id) {
  size_t plan = id.find('/');
  size_t numbers = id.rfind('/');
  if (plan == std::string_view::npos || plan == numbers || plan == 0) return false;
  int dots = 0;
  bool digit_before = false;
  for (char c : id.substr(numbers + 1)) {
    bool digit = c >= '0' && c <= '9';
    if (!digit && (c != '.' || !digit_before || ++dots > 2)) return false;
    digit_before = digit;
  }
  return dots == 2 && digit_before;
}

class SubscribeCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public Call {
 public:
  using Call::Call;

  void begin(grpc::CallbackServerContext& context, const grpc::ByteBuffer& request) {
    absl::Status opened = enter() ? open(request) : refusal();
    if (opened.ok()) {
      writing_ = true;  // nothing else before the metadata has gone
      context.AddInitialMetadata(kSubscribedKey, "1");
      StartSendInitialMetadata();
    } else {
      end_ = std::move(opened);
    }
    advance();
  }

  // ---- reactions ----

  void OnSendInitialMetadataDone(bool ok) override { on_sent(ok); }

  void OnWriteDone(bool ok) override {
    if (ok) state_->counters.results_sent += rows_on_the_way_;
    on_sent(ok);
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    advance();
  }

  void OnDone() override {
    listener_.reset();
    leave();
  }

 private:
  /// Finds the log and the place to begin at.
  absl::Status open(const grpc::ByteBuffer& bytes) {
    grpc::ByteBuffer copy = bytes;
    v1::SubscribeRequest request;
    if (!parse_message(copy, request)) {
      ++state_->counters.protocol_violations;
      return absl::InvalidArgumentError("the message is no SubscribeRequest");
    }
    if (absl::Status out = state_->logs.lets_out(); !out.ok()) return out;
    log_ = state_->logs.find_results(request.stream());
    if (log_ == nullptr) {
      return absl::NotFoundError("stream: no plan has results for a stream " +
                                 quoted_for_message(request.stream()));
    }
    // From here on nothing new is missed.
    listener_ = log_->listen([state = state_, wake_up = wake_up_] { state->pump.wake(wake_up); });
    if (request.after_id().empty()) {
      next_ = log_->end();
      return absl::OkStatus();
    }
    if (!looks_like_id(request.after_id())) {
      return absl::InvalidArgumentError(
          "after_id: " + quoted_for_message(request.after_id()) +
          " is no id of a result; expected tenant/plan/epoch.position.ordinal");
    }
    const bool may_come = state_->logs.may_come(request.after_id());
    std::optional<uint64_t> behind = log_->offset_behind(request.after_id());
    if (!behind && may_come) {
      return absl::UnavailableError("after_id: " + quoted_for_message(request.after_id()) +
                                    " is not made yet; try again");
    }
    if (!behind) {
      return absl::OutOfRangeError("after_id: " + quoted_for_message(request.after_id()) +
                                   " is not among the results held; " + oldest_of(*log_, 0));
    }
    next_ = *behind;
    return absl::OkStatus();
  }

  void on_sent(bool ok) {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (!ok) cancelled_ = true;
    }
    advance();
  }

  bool step() override {
    {
      std::lock_guard lock(mutex_);
      if (finished_ || writing_) return false;
      if (cancelled_) end_ = absl::CancelledError("the subscriber is gone");
      if (end_.ok() && stopping()) end_ = absl::UnavailableError("the server stops");
    }
    if (end_.ok() && next_message()) {
      {
        std::lock_guard lock(mutex_);
        writing_ = true;
      }
      StartWrite(&message_);
      return true;
    }
    if (end_.ok()) return false;  // nothing new: the listener wakes this call
    {
      std::lock_guard lock(mutex_);
      finished_ = true;
    }
    Finish(to_grpc(end_));
    return false;
  }

  /// Fills message_; false when there is nothing new, or end_ says why there will be nothing.
  bool next_message() {
    if (end_ = state_->logs.lets_out(); !end_.ok()) return false;
    if (slices_.empty() && !read_log()) return false;
    const ResultSlice& slice = *slices_.front();
    const GrpcLimits& limits = state_->limits;
    uint32_t end =
        end_of_run(*slice.batch, row_, limits.results_rows_max, limits.results_bytes_max);
    v1::Results results;
    std::string id = result_id(slice, row_);
    results.set_plan(id.substr(0, id.rfind('/')));
    results.set_epoch(slice.cause.epoch.value);
    results.set_position(slice.cause.position.value);
    results.mutable_ordinals()->Add(slice.ordinals.begin() + row_, slice.ordinals.begin() + end);
    encode_columns(*slice.batch, row_, end, *results.mutable_columns());
    message_ = serialize_message(results);
    last_id_ = end - row_ == 1 ? std::move(id) : result_id(slice, end - 1);
    rows_on_the_way_ = end - row_;
    row_ = end;
    if (row_ == slice.batch->rows()) {
      slices_.pop_front();
      row_ = 0;
    }
    return true;
  }

  bool read_log() {
    ResultLog::Read read = log_->read(next_, state_->limits.results_rows_max);
    if (read.forgotten) {
      ++state_->counters.subscribers_too_slow;
      end_ = absl::OutOfRangeError(
          "too slow: the results " +
          (last_id_.empty() ? std::string("that would be next") : "behind " + last_id_) +
          " are forgotten; " + oldest_of(*log_, read.next));
      return false;
    }
    if (!read.error.ok()) end_ = absl::DataLossError("the results cannot be read");
    if (read.ended) end_ = absl::NotFoundError("no plan writes the stream any more");
    if (read.slices.empty()) return false;
    slices_.assign(read.slices.begin(), read.slices.end());
    uint64_t first = slices_.front()->first;
    row_ = static_cast<uint32_t>(next_ > first ? next_ - first : 0);
    next_ = read.next;
    return true;
  }

  std::shared_ptr<ResultLog> log_;
  std::unique_ptr<ResultLog::Listener> listener_;

  // Of the thread that advances.
  uint64_t next_ = 0;
  std::deque<ResultSlicePtr> slices_;
  uint32_t row_ = 0;  // of the first slice: the next to go
  std::string last_id_;
  uint32_t rows_on_the_way_ = 0;
  grpc::ByteBuffer message_;  // belongs to gRPC while it is written
  absl::Status end_;          // not OK: the call ends so

  std::mutex mutex_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* begin_subscribe(std::shared_ptr<ServiceState> state,
                                                            grpc::CallbackServerContext& context,
                                                            const grpc::ByteBuffer& request) {
  auto call = std::make_shared<SubscribeCall>(std::move(state));
  call->begin(context, request);
  return call.get();  // owns itself until OnDone
}

}  // namespace pollux
