// The head of a request, and the chunks of a chunked body, out of bytes as they come.
//
// Refused here: what is not HTTP/1.0 or 1.1, heads over the limit, and every shape by which two
// servers could see two different ends of one request (Content-Length beside Transfer-Encoding,
// either of them twice, an encoding other than chunked).
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/http_message.h"

namespace pollux {

struct RequestHead {
  std::string method;
  std::string target;
  HttpHeaders headers;
  bool http_1_1 = false;
  bool keep_alive = false;
  bool chunked = false;
  std::optional<uint64_t> content_length;
};

class HttpRequestParser {
 public:
  /// A chunk's size line, and all trailers together, are at most this long.
  static constexpr size_t kChunkLineBytesMax = 4096;

  explicit HttpRequestParser(size_t header_bytes_max);
  ~HttpRequestParser();

  enum class Progress : uint8_t { kMore, kDone, kFailed };

  /// Takes `used` bytes of the unread input. kDone: the head is complete. kMore: call again with
  /// the rest of the input and more behind it. kFailed: see error_status().
  Progress parse_head(std::string_view input, size_t& used);
  /// For a chunked body: the same, appending at most `body_bytes_max` in all to `body`.
  Progress parse_chunks(std::string_view input, size_t& used, std::string& body,
                        size_t body_bytes_max);
  /// Makes ready for the next request.
  void reset();

  RequestHead& head();
  int error_status() const { return error_status_; }
  const std::string& error() const { return error_; }

 private:
  struct Impl;
  Progress fail(int status, std::string error);

  const size_t header_bytes_max_;
  size_t header_bytes_ = 0;  // taken so far
  int error_status_ = 0;
  std::string error_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pollux
