// How a connection writes: answers and streams.
#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/base/check.h"
#include "server/http/http_connection.h"
#include "server/http/http_error.h"

namespace pollux {

namespace {

using boost::system::error_code;

/// A header's value must not end the header: line breaks become spaces.
void append_value(std::string& out, std::string_view value) {
  for (char c : value) out.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_value(out, name);
  out.append(": ");
  append_value(out, value);
  out.append("\r\n");
}

bool has_no_body(int status) { return status == 204 || status == 304; }

std::string chunk_head(size_t bytes) {
  char text[20];
  char* end = std::to_chars(text, text + sizeof(text), bytes, 16).ptr;
  return std::string(text, end) + "\r\n";
}

}  // namespace

void HttpConnection::answer(HttpResponse response) {
  if (state_ == State::kHandling) write_answer(std::move(response));
}

void HttpConnection::answer_dropped() {
  if (state_ != State::kHandling) return;
  shared_.counters.add(shared_.counters.requests_unanswered);
  write_answer(http_error(500, "the request was not answered"));
}

void HttpConnection::append_head(const HttpResponse& response) {
  out_head_.clear();
  out_head_.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out_head_.append(http_reason(response.status)).append("\r\nDate: ").append(loop_->date());
  out_head_.append("\r\n");
  if (!response.content_type.empty() && !has_no_body(response.status)) {
    append_header(out_head_, "Content-Type", response.content_type);
  }
  if (!keep_alive_) {
    out_head_.append("Connection: close\r\n");
  } else if (!parser_.head().http_1_1) {
    out_head_.append("Connection: keep-alive\r\n");
  }
  for (const HttpParameter& header : response.headers) {
    append_header(out_head_, header.name, header.value);
  }
  int status_class = response.status / 100;
  POLLUX_CHECK(status_class >= 2 && status_class <= 5);
  shared_.counters.add(shared_.counters.answers[static_cast<size_t>(status_class)]);
}

void HttpConnection::write_answer(HttpResponse response) {
  body_.release();
  if (loop_->stopping()) keep_alive_ = false;
  append_head(response);
  if (!has_no_body(response.status)) {
    out_head_.append("Content-Length: ").append(std::to_string(response.body.size()));
    out_head_.append("\r\n");
  }
  out_head_.append("\r\n");
  bool bodiless = parser_.head().method == "HEAD" || has_no_body(response.status);
  out_body_ = bodiless ? std::string() : std::move(response.body);
  state_ = State::kAnswering;
  phase_began_ = Clock::now();
  write(0);
}

void HttpConnection::start_stream(HttpResponse head, std::shared_ptr<HttpStreamState> stream) {
  if (state_ != State::kHandling) return stream->connection_closed();
  body_.release();
  keep_alive_ = false;
  append_head(head);
  phase_began_ = Clock::now();
  if (parser_.head().method == "HEAD") {
    out_head_.append("\r\n");
    state_ = State::kAnswering;
    write(0);
    return stream->connection_closed();
  }
  if (parser_.head().http_1_1) out_head_.append("Transfer-Encoding: chunked\r\n");
  out_head_.append("\r\n");
  state_ = State::kStreaming;
  stream_ = std::move(stream);
  shared_.counters.streams_open.fetch_add(1);
  if (loop_->stopping()) stream_->end();
  drained_bytes_ = 0;
  drain();  // a client of a stream says nothing more: reading shows when it goes
  write(0);
}

void HttpConnection::flush_stream() {
  if (state_ == State::kStreaming && !writing_) next_stream_batch();
}

void HttpConnection::next_stream_batch() {
  bool ended = false;
  bool waits = stream_->take(out_body_, ended);
  deadline_ = Clock::time_point::max();
  if (!waits && !ended) return;
  bool chunked = parser_.head().http_1_1;
  if (waits) {
    if (chunked) out_head_ = chunk_head(out_body_.size());
    out_tail_ = chunked ? "\r\n" : "";
  } else {
    if (chunked) out_head_ = "0\r\n\r\n";
    auto stream = std::exchange(stream_, nullptr);
    shared_.counters.streams_open.fetch_sub(1);
    state_ = State::kAnswering;
    stream->connection_closed();
  }
  phase_began_ = Clock::now();
  write(0);
}

void HttpConnection::write(size_t written) {
  out_done_ += written;
  // A 100 Continue is part of waiting for the body, and keeps that deadline.
  if (state_ != State::kBody) {
    deadline_ = transfer_deadline(shared_.options.write_timeout, out_done_);
  }
  std::array<boost::asio::const_buffer, 3> pieces;
  size_t skip = out_done_;
  size_t count = 0;
  for (std::string_view piece :
       {std::string_view(out_head_), std::string_view(out_body_), out_tail_}) {
    size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    pieces[count++] = boost::asio::buffer(piece.data() + skipped, piece.size() - skipped);
  }
  writing_ = true;
  socket_.async_write_some(pieces, [self = shared_from_this()](error_code error, size_t bytes) {
    self->on_written(error, bytes);
  });
}

void HttpConnection::on_written(error_code error, size_t bytes) {
  writing_ = false;
  shared_.counters.add(shared_.counters.bytes_out, bytes);
  if (state_ == State::kClosed) return;
  if (error) return close();
  if (out_done_ + bytes < out_head_.size() + out_body_.size() + out_tail_.size()) {
    return write(bytes);
  }
  out_head_.clear();
  out_body_ = {};
  out_tail_ = {};
  out_done_ = 0;
  if (std::exchange(out_is_continue_, false)) return on_bytes();
  if (state_ == State::kStreaming) {
    stream_->sent();
    return flush_stream();
  }
  on_answer_written();
}

void HttpConnection::on_answer_written() {
  if (keep_alive_ && !loop_->stopping()) return wait_for_request();
  if (!drain_after_ && begin_ == end_) return close();
  // Closing now would throw away what the client has not read yet, if it is still sending.
  error_code error;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
  if (error) return close();
  state_ = State::kDraining;
  deadline_ = std::min(deadline_, Clock::now() + shared_.options.drain_timeout);
  drain();
}

}  // namespace pollux
