#include "server/http/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <limits>
#include <utility>

namespace pollux {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::beast::error_code;

/// Beast's parser, with what it found put into a RequestHead.
class BeastParser final : public http::basic_parser<true> {
 public:
  explicit BeastParser(size_t header_bytes_max) {
    header_limit(static_cast<uint32_t>(header_bytes_max));
    // The connection knows the limit of the route. (None at all is taken for 0 by Beast 1.74.)
    body_limit(std::numeric_limits<uint64_t>::max());
  }

  RequestHead head;
  std::string* body = nullptr;
  size_t body_bytes_max = 0;
  bool body_too_large = false;

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code&) override {
    head.method.assign(method.data(), method.size());
    head.target.assign(target.data(), target.size());
    head.http_1_1 = version == 11;
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    if (head_done_) return;  // trailers say nothing that we need
    if (field == http::field::transfer_encoding) {
      bool fits = head.http_1_1 && ++encodings_ == 1 && lengths_ == 0;
      if (!fits || !beast::iequals(value, "chunked")) {
        error = http::error::bad_transfer_encoding;
      }
    }
    if (field == http::field::content_length && (++lengths_ > 1 || encodings_ > 0)) {
      error = http::error::bad_content_length;
    }
    if (field == http::field::host) ++hosts_;
    head.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(error_code& error) override {
    head_done_ = true;
    if (hosts_ > 1 || (hosts_ == 0 && head.http_1_1)) error = http::error::bad_field;
    head.keep_alive = keep_alive();
    head.chunked = chunked();
    if (auto length = content_length()) head.content_length = *length;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view text, error_code&) override { return text.size(); }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, error_code& error) override {
    if (body == nullptr || size <= body_bytes_max - body->size()) return;
    body_too_large = true;
    error = http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view text, error_code&) override {
    body->append(text.data(), text.size());
    return text.size();
  }
  void on_finish_impl(error_code&) override {}

  bool head_done_ = false;
  int encodings_ = 0;
  int lengths_ = 0;
  int hosts_ = 0;
};

}  // namespace

struct HttpRequestParser::Impl {
  std::optional<BeastParser> parser;
};

HttpRequestParser::HttpRequestParser(size_t header_bytes_max)
    : header_bytes_max_(header_bytes_max), impl_(std::make_unique<Impl>()) {
  reset();
}

HttpRequestParser::~HttpRequestParser() = default;

void HttpRequestParser::reset() {
  impl_->parser.emplace(header_bytes_max_);
  header_bytes_ = 0;
}

RequestHead& HttpRequestParser::head() { return impl_->parser->head; }

HttpRequestParser::Progress HttpRequestParser::fail(int status, std::string error) {
  error_status_ = status;
  error_ = std::move(error);
  return Progress::kFailed;
}

HttpRequestParser::Progress HttpRequestParser::parse_head(std::string_view input, size_t& used) {
  error_code error;
  used = impl_->parser->put(boost::asio::const_buffer(input.data(), input.size()), error);
  header_bytes_ += used;
  bool done = !error;
  size_t waiting = done ? 0 : input.size() - used;
  bool more = error == http::error::need_more;
  // Beast counts anew behind each piece that it was given; we count all of the head.
  if (error == http::error::header_limit ||
      ((done || more) && header_bytes_ + waiting > header_bytes_max_)) {
    return fail(
        431, "the request's head is longer than " + std::to_string(header_bytes_max_) + " bytes");
  }
  if (done) return Progress::kDone;
  if (more) return Progress::kMore;
  if (error == http::error::bad_version) return fail(505, "not HTTP/1.0 or HTTP/1.1");
  if (error == http::error::bad_field && impl_->parser->is_header_done()) {
    return fail(400, "a request of HTTP/1.1 has exactly one Host");
  }
  return fail(400, "the request's head is not HTTP: " + error.message());
}

HttpRequestParser::Progress HttpRequestParser::parse_chunks(std::string_view input, size_t& used,
                                                            std::string& body,
                                                            size_t body_bytes_max) {
  BeastParser& parser = *impl_->parser;
  parser.body = &body;
  parser.body_bytes_max = body_bytes_max;
  used = 0;
  while (!parser.is_done()) {
    if (used == input.size()) return Progress::kMore;
    error_code error;
    std::string_view rest = input.substr(used);
    used += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    if (parser.body_too_large) {
      return fail(413, "the body is longer than " + std::to_string(body_bytes_max) + " bytes");
    }
    if (error == http::error::need_more) {
      if (input.size() - used <= kChunkLineBytesMax) return Progress::kMore;
      return fail(400, "a chunk's size line or the trailers are too long");
    }
    if (error) return fail(400, "the body is not in chunks: " + error.message());
  }
  return Progress::kDone;
}

}  // namespace pollux
