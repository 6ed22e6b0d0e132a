#include "server/api/subscription.h"

#include <utility>

#include "server/publishers/row_text.h"

namespace pollux {

void Subscription::begin(const ResultLogs& logs, std::shared_ptr<ResultLog> log, uint64_t from,
                         const Responder& responder, StreamHeartbeat& heartbeat) {
  auto self = std::make_shared<Subscription>(logs, std::move(log), from);
  HttpResponse head;
  head.content_type = "text/event-stream";
  head.headers.push_back({"Cache-Control", "no-store"});
  ResponseStreamCallbacks callbacks;
  callbacks.on_drain = [self] { self->pump(); };
  callbacks.on_closed = [self] { self->closed(); };
  // May call on_closed at once. Nobody else knows the subscription before it listens.
  self->stream_ = responder.stream(std::move(head), std::move(callbacks));
  self->stream_.write(": results of " + self->log_->schema()->name() + "\n\n");
  heartbeat.add(self->stream_);
  self->listen();
  self->pump();
}

/// The listener must not be destroyed where it is called, so it never outlives the stream.
void Subscription::listen() {
  auto listener = log_->listen([weak = weak_from_this()] {
    if (auto alive = weak.lock()) alive->pump();
  });
  std::lock_guard lock(mutex_);
  if (!closed_) listener_ = std::move(listener);
}

void Subscription::closed() {
  std::unique_ptr<ResultLog::Listener> gone;
  std::lock_guard lock(mutex_);
  closed_ = true;
  gone = std::move(listener_);
}

void Subscription::pump() {
  {
    std::lock_guard lock(mutex_);
    again_ = true;
    if (pumping_) return;
    pumping_ = true;
  }
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (!again_) {
        pumping_ = false;
        return;
      }
      again_ = false;
    }
    while (write_some()) {
    }
  }
}

/// False when there is nothing to write, or no room for it.
bool Subscription::write_some() {
  if (unsent_.empty()) {
    ResultLog::Read read = log_->read(next_, kRowsAtOnce);
    absl::Status out = logs_.lets_out();
    ends_ = read.forgotten || read.ended || !read.error.ok() || !out.ok();
    if (!ends_ && read.slices.empty()) return false;
    unsent_ = !out.ok()          ? "event: not_active\ndata: " + std::string(out.message()) + "\n\n"
              : !read.error.ok() ? "event: failed\ndata: the results cannot be read\n\n"
              : read.forgotten   ? "event: forgotten\ndata: results before offset " +
                                     std::to_string(read.next) + " are no longer held\n\n"
              : read.ended ? "event: ended\ndata: no plan writes the stream any more\n\n"
                           : text_of(read);
    next_ = read.next;
  }
  if (stream_.write(unsent_) != ResponseStream::Write::kTaken) return false;
  unsent_.clear();
  if (ends_) stream_.close();
  return !ends_;
}

std::string Subscription::text_of(const ResultLog::Read& read) const {
  std::string text;
  for (const ResultSlicePtr& slice : read.slices) {
    uint64_t skip = next_ > slice->first ? next_ - slice->first : 0;
    for (auto row = static_cast<uint32_t>(skip); row < slice->batch->rows(); ++row) {
      text += "id: " + result_id(*slice, row) + "\ndata: ";
      append_row_json(text, {slice.get(), row});
      text += "\n\n";
    }
  }
  return text;
}

}  // namespace pollux
