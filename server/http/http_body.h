// The body of a request while it comes in: grows with what has come, not with what was announced,
// and counts what it holds against the server's bound for all bodies.
//
// Thread: the connection's.
#pragma once

#include <cstddef>
#include <string>

#include "server/http/http_loop.h"

namespace pollux {

class HttpBody {
 public:
  static constexpr size_t kFirstBytesMax = 256 * 1024;

  explicit HttpBody(HttpShared& shared) : shared_(shared) {}
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;
  ~HttpBody() { release(); }

  void expect(size_t bytes) { expected_ = bytes; }
  size_t received() const { return received_; }
  bool complete() const { return received_ == expected_; }

  /// Where the next bytes go: at least one, unless complete. False: no memory for it at present.
  bool room(char*& to, size_t& bytes);
  void add(size_t bytes) { received_ += bytes; }

  /// For a body of unknown length: append to it, then call appended(). False as for room().
  std::string& text() { return text_; }
  bool appended();

  /// The finished body, padded; what it takes stays held until release().
  std::string take();
  void release();

 private:
  bool hold(size_t bytes);

  HttpShared& shared_;
  std::string text_;
  size_t expected_ = 0;
  size_t received_ = 0;
  size_t held_ = 0;
};

}  // namespace pollux
