// How a handler answers: with a response, or with a stream that goes on.
//
// Thread: any, for everything here, also after the connection or the server is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "server/http/http_message.h"

namespace pollux {

class HttpExchange;
class HttpStreamState;

/// Both run on the connection's io thread, must be quick, and must not throw. They may hold the
/// stream: the transport lets go of them when it has closed.
struct ResponseStreamCallbacks {
  /// After a write gave kFull, once: at most half of the buffer is still waiting.
  std::function<void()> on_drain;
  /// Exactly once: the client went, was too slow, the server stops, or close() was carried out.
  std::function<void()> on_closed;
};

/// The body of an answer, piece by piece. Copies are the same stream; when the last copy goes, the
/// stream is closed.
class ResponseStream {
 public:
  enum class Write : uint8_t { kTaken, kFull, kClosed };

  ResponseStream() = default;  ///< closed
  explicit ResponseStream(std::shared_ptr<HttpStreamState> state);

  /// All of it or nothing. kFull: HttpServerOptions::stream_bytes_max wait for the client already;
  /// on_drain will tell. One piece larger than the whole buffer is taken when nothing waits.
  Write write(std::string_view bytes) const;
  /// Ends the answer behind what was written.
  void close() const;
  bool closed() const;

 private:
  struct Handle;
  std::shared_ptr<Handle> handle_;
};

/// Answers one request, once. Copies are the same; when the last copy goes and nobody has answered,
/// the client gets a 500.
class Responder {
 public:
  explicit Responder(std::shared_ptr<HttpExchange> exchange);

  /// False: was answered before, and nothing happens.
  bool answer(HttpResponse response) const;
  /// Status, content type and headers of `head` at once, the body through the stream. To HEAD, or
  /// when it was answered before, the stream is closed from the start and on_closed is called.
  ResponseStream stream(HttpResponse head, ResponseStreamCallbacks callbacks) const;

 private:
  std::shared_ptr<HttpExchange> exchange_;
};

using HttpHandler = std::function<void(HttpRequest request, Responder responder)>;

}  // namespace pollux
