#include "server/http/http_stream.h"

#include <utility>

#include "server/http/http_connection.h"

namespace pollux {

HttpStreamState::HttpStreamState(std::shared_ptr<HttpLoop> loop,
                                 std::weak_ptr<HttpConnection> connection,
                                 ResponseStreamCallbacks callbacks)
    : loop_(std::move(loop)),
      connection_(std::move(connection)),
      bytes_max_(loop_->shared().options.stream_bytes_max),
      callbacks_(std::move(callbacks)) {}

ResponseStream::Write HttpStreamState::write(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (closed_ || ended_) return ResponseStream::Write::kClosed;
  size_t held = waiting_.size() + in_flight_bytes_;
  if (held > 0 && held + bytes.size() > bytes_max_) {
    refused_ = true;
    return ResponseStream::Write::kFull;
  }
  waiting_.append(bytes);
  ask_for_flush();
  return ResponseStream::Write::kTaken;
}

void HttpStreamState::end() {
  std::lock_guard lock(mutex_);
  if (closed_ || ended_) return;
  ended_ = true;
  ask_for_flush();
}

bool HttpStreamState::closed() const {
  std::lock_guard lock(mutex_);
  return closed_ || ended_;
}

// Under mutex_. A connection that is gone has closed the stream, or is about to.
void HttpStreamState::ask_for_flush() {
  if (flush_asked_) return;
  flush_asked_ = loop_->post([weak = connection_] {
    if (auto connection = weak.lock()) connection->flush_stream();
  });
}

bool HttpStreamState::take(std::string& batch, bool& ended) {
  std::lock_guard lock(mutex_);
  flush_asked_ = false;
  ended = ended_;
  batch.swap(waiting_);
  in_flight_bytes_ = batch.size();
  return !batch.empty();
}

void HttpStreamState::sent() {
  std::function<void()> tell;
  {
    std::lock_guard lock(mutex_);
    in_flight_bytes_ = 0;
    if (refused_ && waiting_.size() <= bytes_max_ / 2) {
      refused_ = false;
      tell = callbacks_.on_drain;
    }
  }
  if (tell) tell();
}

void HttpStreamState::connection_closed() {
  ResponseStreamCallbacks last;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_ = {};
    last = std::exchange(callbacks_, {});
  }
  if (last.on_closed) last.on_closed();
}

struct ResponseStream::Handle {
  explicit Handle(std::shared_ptr<HttpStreamState> given) : state(std::move(given)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { state->end(); }

  std::shared_ptr<HttpStreamState> state;
};

ResponseStream::ResponseStream(std::shared_ptr<HttpStreamState> state)
    : handle_(std::make_shared<Handle>(std::move(state))) {}

ResponseStream::Write ResponseStream::write(std::string_view bytes) const {
  return handle_ == nullptr ? Write::kClosed : handle_->state->write(bytes);
}

void ResponseStream::close() const {
  if (handle_ != nullptr) handle_->state->end();
}

bool ResponseStream::closed() const { return handle_ == nullptr || handle_->state->closed(); }

}  // namespace pollux
