#include "server/http/http_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/http/http_error.h"
#include "server/http/http_exchange.h"

namespace pollux {

namespace {

using boost::system::error_code;

constexpr size_t kInputBytes = 4096;
constexpr size_t kChunkInputBytes = 64 * 1024;
constexpr auto kNever = HttpConnection::Clock::time_point::max();
constexpr std::chrono::milliseconds kRefusalTimeout{1000};

HttpResponse try_later(std::string_view message) {
  HttpResponse response = http_error(503, message);
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpLoop> loop, HttpLoop::Socket socket,
                               std::string peer)
    : loop_(std::move(loop)),
      shared_(loop_->shared()),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      parser_(shared_.options.header_bytes_max),
      body_(shared_) {}

void HttpConnection::serve() {
  counted_ = true;
  error_code ignored;  // a connection that is already broken shows it at the first read
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  if (loop_->stopping()) return close();
  input_.resize(kInputBytes);
  wait_for_request();
}

void HttpConnection::refuse() {
  input_.resize(kInputBytes);
  refuse_request(try_later("the server has as many connections as it may have"));
  deadline_ = Clock::now() + std::min(kRefusalTimeout, shared_.options.drain_timeout);
}

void HttpConnection::wait_for_request() {
  state_ = State::kHead;
  head_begun_ = head_done_ = false;
  deadline_ = Clock::now() + shared_.options.idle_timeout;
  if (begin_ == end_ && input_.size() > kInputBytes) {
    input_ = std::vector<char>(kInputBytes);
    begin_ = end_ = 0;
  }
  on_bytes();
}

void HttpConnection::consume(size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

void HttpConnection::read_more() {
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == input_.size()) input_.resize(2 * input_.size());
  read_into(input_.data() + end_, input_.size() - end_, false);
}

void HttpConnection::read_into(char* to, size_t bytes, bool body) {
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(to, bytes),
                          [self = shared_from_this(), body](error_code error, size_t got) {
                            self->on_read(error, got, body);
                          });
}

void HttpConnection::on_read(error_code error, size_t bytes, bool body) {
  reading_ = false;
  shared_.counters.add(shared_.counters.bytes_in, bytes);
  if (state_ == State::kClosed) return;
  bool discards =
      state_ == State::kDraining || state_ == State::kStreaming || state_ == State::kAnswering;
  if (discards) {
    drained_bytes_ += bytes;
    // An answer that is being written goes on: its own end, or its failure, ends the connection.
    if (state_ == State::kAnswering) return;
    if (error || drained_bytes_ > shared_.options.drain_bytes_max) return close();
    return drain();
  }
  if (error) {
    if (head_begun_) shared_.counters.add(shared_.counters.requests_aborted);
    return close();
  }
  if (body) {
    body_.add(bytes);
  } else {
    end_ += bytes;
  }
  on_bytes();
}

void HttpConnection::on_bytes() {
  if (state_ == State::kHead) return on_head_bytes();
  parser_.head().chunked ? on_chunk_bytes() : on_body_bytes();
}

void HttpConnection::on_head_bytes() {
  if (begin_ == end_) return read_more();
  if (!head_begun_) {
    head_begun_ = true;
    parser_.reset();
    deadline_ = Clock::now() + shared_.options.header_timeout;
  }
  size_t used = 0;
  HttpRequestParser::Progress progress = parser_.parse_head(unread(), used);
  consume(used);
  switch (progress) {
    case HttpRequestParser::Progress::kMore:
      return read_more();
    case HttpRequestParser::Progress::kDone:
      return on_head();
    case HttpRequestParser::Progress::kFailed:
      return refuse_request(http_error(parser_.error_status(), parser_.error()));
  }
}

void HttpConnection::on_head() {
  const RequestHead& head = parser_.head();
  head_done_ = true;
  keep_alive_ = head.keep_alive && !loop_->stopping();
  if (!find_route() || !accept_body_headers()) return;
  begin_body();
}

/// False: answered with what is wrong.
bool HttpConnection::find_route() {
  const RequestHead& head = parser_.head();
  target_ = {};
  const char* wrong = parse_http_target(head.target, target_);
  if (wrong != nullptr) {
    refuse_request(http_error(400, wrong));
    return false;
  }
  match_ = shared_.router.match(head.method, target_.segments);
  if (match_.route != nullptr) return true;
  HttpResponse response;
  if (match_.allow.empty()) {
    response = http_error(404, "nothing is served at " + std::string(target_.path));
  } else {
    response = http_error(405, "this path takes " + match_.allow);
    response.headers.push_back({"Allow", match_.allow});
  }
  refuse_request(std::move(response));
  return false;
}

/// False: answered with what is wrong.
bool HttpConnection::accept_body_headers() {
  const RequestHead& head = parser_.head();
  auto encoding = head.headers.find("Content-Encoding");
  if (encoding && !http_names_equal(*encoding, "gzip") &&
      !http_names_equal(*encoding, "identity")) {
    HttpResponse response = http_error(415, "the body's encoding is not gzip");
    response.headers.push_back({"Accept-Encoding", "gzip, identity"});
    refuse_request(std::move(response));
    return false;
  }
  auto expect = head.headers.find("Expect");
  if (expect && !http_names_equal(*expect, "100-continue")) {
    refuse_request(http_error(417, "only 100-continue can be expected"));
    return false;
  }
  size_t bytes_max = match_.route->body_bytes_max;
  if (head.content_length && *head.content_length > bytes_max) {
    refuse_request(
        http_error(413, "the body is longer than " + std::to_string(bytes_max) + " bytes"));
    return false;
  }
  return true;
}

void HttpConnection::begin_body() {
  const RequestHead& head = parser_.head();
  size_t length = head.content_length.value_or(0);
  if (!head.chunked && length == 0) return run_handler();
  state_ = State::kBody;
  phase_began_ = Clock::now();
  deadline_ = transfer_deadline(shared_.options.body_timeout, 0);
  body_.expect(length);
  if (head.chunked && input_.size() < kChunkInputBytes) input_.resize(kChunkInputBytes);
  bool waits = head.http_1_1 && head.headers.find("Expect").has_value();
  if (waits && begin_ == end_) {
    out_is_continue_ = true;
    out_head_ = "HTTP/1.1 100 Continue\r\n\r\n";
    return write(0);
  }
  on_bytes();
}

void HttpConnection::take_body_from_input() {
  char* to = nullptr;
  size_t room = 0;
  while (begin_ < end_ && !body_.complete() && body_.room(to, room)) {
    size_t bytes = std::min(room, end_ - begin_);
    std::memcpy(to, input_.data() + begin_, bytes);
    body_.add(bytes);
    consume(bytes);
  }
}

void HttpConnection::on_body_bytes() {
  take_body_from_input();
  if (body_.complete()) return run_handler();
  char* to = nullptr;
  size_t room = 0;
  if (!body_.room(to, room)) {
    shared_.counters.add(shared_.counters.body_memory_full);
    return refuse_request(try_later("the server holds as many bodies as it may"));
  }
  deadline_ = transfer_deadline(shared_.options.body_timeout, body_.received());
  read_into(to, room, true);
}

void HttpConnection::on_chunk_bytes() {
  if (begin_ == end_) return read_more();
  size_t used = 0;
  HttpRequestParser::Progress progress =
      parser_.parse_chunks(unread(), used, body_.text(), match_.route->body_bytes_max);
  consume(used);
  if (progress == HttpRequestParser::Progress::kFailed) {
    return refuse_request(http_error(parser_.error_status(), parser_.error()));
  }
  if (!body_.appended()) {
    shared_.counters.add(shared_.counters.body_memory_full);
    return refuse_request(try_later("the server holds as many bodies as it may"));
  }
  if (progress == HttpRequestParser::Progress::kDone) return run_handler();
  deadline_ = transfer_deadline(shared_.options.body_timeout, body_.received());
  read_more();
}

void HttpConnection::run_handler() {
  state_ = State::kHandling;
  deadline_ = kNever;
  RequestHead& head = parser_.head();
  HttpWorkers::Job job{
      match_.route,
      HttpRequest{head.method, std::string(target_.path), std::move(match_.parameters),
                  std::move(target_.query), std::move(head.headers), body_.take(), peer_},
      Responder(std::make_shared<HttpExchange>(loop_, weak_from_this()))};
  if (job.route->kind == HttpRouteKind::kInline) {
    return run_http_handler(*job.route, std::move(job.request), std::move(job.responder));
  }
  if (shared_.workers.submit(job)) return;
  shared_.counters.add(shared_.counters.worker_queue_full);
  job.responder.answer(try_later("all workers are busy"));
}

/// Answers a request of which not all was read, or which nobody can say the end of.
void HttpConnection::refuse_request(HttpResponse response) {
  const RequestHead& head = parser_.head();
  bool whole =
      state_ == State::kHead && head_done_ && !head.chunked && head.content_length.value_or(0) == 0;
  if (!whole) {
    keep_alive_ = false;
    drain_after_ = true;
  }
  // A read in flight holds memory that the answer gives back.
  boost::system::error_code ignored;  // without it the read ends with the connection
  if (reading_) socket_.cancel(ignored);
  write_answer(std::move(response));
}

void HttpConnection::drain() {
  if (reading_) return;
  begin_ = end_ = 0;
  read_into(input_.data(), input_.size(), false);
}

HttpConnection::Clock::time_point HttpConnection::transfer_deadline(
    std::chrono::milliseconds patience, size_t bytes) const {
  auto earned = std::chrono::milliseconds(bytes * 1000 / shared_.options.transfer_rate_min);
  return phase_began_ + patience + earned;
}

void HttpConnection::on_deadline() {
  HttpCounters& counters = shared_.counters;
  switch (state_) {
    case State::kHead:
      if (!head_begun_) {
        counters.add(counters.idle_timeouts);
        return close();
      }
      counters.add(counters.header_timeouts);
      return refuse_request(http_error(408, "the request's head did not come in time"));
    case State::kBody:
      counters.add(counters.body_timeouts);
      if (writing_) return close();  // within a 100 Continue
      return refuse_request(http_error(408, "the request's body did not come in time"));
    case State::kAnswering:
    case State::kStreaming:
      counters.add(counters.write_timeouts);
      return close();
    default:
      return close();
  }
}

void HttpConnection::begin_stop() {
  keep_alive_ = false;
  if (state_ == State::kHead && !head_begun_) return close();
  if (state_ == State::kStreaming) stream_->end();
}

void HttpConnection::close() {
  if (state_ == State::kClosed) return;
  auto self = shared_from_this();  // what follows may let go of the last other one
  state_ = State::kClosed;
  deadline_ = kNever;
  error_code ignored;  // nothing is left to do about a socket that cannot be closed
  socket_.close(ignored);
  body_.release();
  if (stream_ != nullptr) {
    shared_.counters.streams_open.fetch_sub(1);
    std::exchange(stream_, nullptr)->connection_closed();
  }
  if (counted_) shared_.counters.connections_open.fetch_sub(1);
  loop_->remove(self);
}

}  // namespace pollux
