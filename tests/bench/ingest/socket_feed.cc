// Feeds over a plain socket: HTTP with kept-alive connections and pipelined requests, and the same
// bytes, framed, to the plain TCP server.
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/bench/ingest/feed.h"
#include "tests/bench/ingest/raw_server.h"
#include "tests/bench/ingest/socket.h"

namespace pollux::bench {
namespace {

/// As many small requests go into one write as fit here.
constexpr size_t kWriteBytes = size_t{64} << 10;
/// When the plan is behind. (The server asks for a second, which would measure the pause.)
constexpr std::chrono::milliseconds kPause{2};

std::string http_request(const std::string& body) {
  return std::string("POST /v1/streams/") + Requests::kStream +
         "/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

class SocketFeed final : public Feed {
 public:
  SocketFeed(const FeedOptions& options, const Requests& requests)
      : raw_(options.raw), window_(options.window), socket_(Socket::connect(options.port)) {
    accepted_ = "{\"accepted\":" + std::to_string(requests.rows()) + ",";
    for (size_t i = 0; i < requests.size(); ++i) {
      std::string bytes = options.form == Form::kJson ? http_request(requests.json(i))
                                                      : requests.message(i, options.form);
      requests_.push_back(raw_ ? frame(bytes) : bytes);
    }
  }

  void run(const std::atomic<bool>& stop) override {
    while (!stop || meter().answers() < meter().sends()) {
      if (!stop) fill_window();
      read_answers();
    }
  }

  size_t request_bytes() const override { return requests_[0].size(); }

 private:
  void fill_window() {
    while (meter().sends() - meter().answers() < window_) {
      const std::string& request = requests_[meter().sends() % requests_.size()];
      if (outgoing_.size() + request.size() > kWriteBytes) flush();
      meter().sent();
      if (request.size() >= kWriteBytes) {
        socket_.write_all(request);
      } else {
        outgoing_ += request;
      }
    }
    flush();
  }

  void flush() {
    if (!outgoing_.empty()) socket_.write_all(outgoing_);
    outgoing_.clear();
  }

  void read_answers() {
    if (!socket_.read_some(incoming_)) throw std::runtime_error("the server hung up");
    std::string_view rest = incoming_;
    uint64_t refused = meter().refused_requests().size();
    while (size_t size = raw_ ? take_ack(rest) : take_answer(rest)) rest.remove_prefix(size);
    incoming_.erase(0, incoming_.size() - rest.size());
    if (meter().refused_requests().size() > refused) std::this_thread::sleep_for(kPause);
  }

  size_t take_ack(std::string_view text) {
    if (text.size() < kRawAckBytes) return 0;
    meter().acked();
    return kRawAckBytes;
  }

  /// Bytes of the first answer; 0 when it is not all there.
  size_t take_answer(std::string_view text) {
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    size_t head = text.find("\r\n\r\n");
    if (head == text.npos) return 0;
    size_t length = text.substr(0, head).find(kLength);
    if (length == text.npos) throw std::runtime_error("an answer without a length");
    size_t body = std::strtoul(text.data() + length + kLength.size(), nullptr, 10);
    if (text.size() < head + 4 + body) return 0;
    if (text.starts_with("HTTP/1.1 429")) {
      meter().refused();
    } else if (text.starts_with("HTTP/1.1 200") && text.substr(head + 4).starts_with(accepted_)) {
      meter().acked();
    } else {
      throw std::runtime_error("refused: " + std::string(text.substr(0, head + 4 + body)));
    }
    return head + 4 + body;
  }

  const bool raw_;
  const uint32_t window_;
  Socket socket_;
  std::string accepted_;
  std::vector<std::string> requests_;
  std::string outgoing_;
  std::string incoming_;
};

}  // namespace

std::unique_ptr<Feed> make_socket_feed(const FeedOptions& options, const Requests& requests) {
  return std::make_unique<SocketFeed>(options, requests);
}

}  // namespace pollux::bench
