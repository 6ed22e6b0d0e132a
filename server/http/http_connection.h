// One connection: reads a request, has it answered, writes the answer, and begins anew.
//
// Thread: the io thread of its loop, for everything. Owner: the loop, and the operations in flight.
// What goes wrong ends in an answer where the client can still read one, else in the end of the
// connection; both are counted.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_body.h"
#include "server/http/http_loop.h"
#include "server/http/http_stream.h"
#include "server/http/http_target.h"
#include "server/http/request_parser.h"

namespace pollux {

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Clock = HttpLoop::Clock;

  HttpConnection(std::shared_ptr<HttpLoop> loop, HttpLoop::Socket socket, std::string peer);

  void serve();
  /// There are too many already: says so and ends.
  void refuse();

  void answer(HttpResponse response);
  void answer_dropped();
  void start_stream(HttpResponse head, std::shared_ptr<HttpStreamState> stream);
  void flush_stream();

  Clock::time_point deadline() const { return deadline_; }
  void on_deadline();
  void begin_stop();
  void close();

 private:
  enum class State : uint8_t {
    kHead,       // waiting for a request, or within its head
    kBody,       // within its body
    kHandling,   // somebody has the Responder
    kAnswering,  // writing the answer
    kStreaming,  // writing an answer that goes on
    kDraining,   // all is said; reading what the client still sends, so that it can hear us
    kClosed,
  };

  // Reading: http_connection.cc
  std::string_view unread() const { return {input_.data() + begin_, end_ - begin_}; }
  void consume(size_t bytes);
  void wait_for_request();
  void read_more();
  void read_into(char* to, size_t bytes, bool body);
  void on_read(boost::system::error_code error, size_t bytes, bool body);
  void on_bytes();
  void on_head_bytes();
  void on_head();
  bool find_route();
  bool accept_body_headers();
  void begin_body();
  void take_body_from_input();
  void on_body_bytes();
  void on_chunk_bytes();
  void run_handler();
  void refuse_request(HttpResponse response);
  void drain();
  Clock::time_point transfer_deadline(std::chrono::milliseconds patience, size_t bytes) const;

  // Writing: http_connection_write.cc
  void write_answer(HttpResponse response);
  void append_head(const HttpResponse& response);
  void write(size_t written);
  void on_written(boost::system::error_code error, size_t bytes);
  void on_answer_written();
  void next_stream_batch();

  const std::shared_ptr<HttpLoop> loop_;
  HttpShared& shared_;
  HttpLoop::Socket socket_;
  const std::string peer_;
  State state_ = State::kHead;
  bool counted_ = false;  // among the open connections
  bool reading_ = false;
  bool writing_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point phase_began_{};

  std::vector<char> input_;  // bytes begin_ to end_ are unread
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t drained_bytes_ = 0;

  HttpRequestParser parser_;
  HttpBody body_;
  HttpTarget target_;
  Router::Match match_;
  bool head_begun_ = false;
  bool head_done_ = false;
  bool keep_alive_ = false;
  bool drain_after_ = false;  // the client may still be sending

  std::string out_head_;
  std::string out_body_;
  std::string_view out_tail_;
  size_t out_done_ = 0;
  bool out_is_continue_ = false;
  std::shared_ptr<HttpStreamState> stream_;
};

}  // namespace pollux
