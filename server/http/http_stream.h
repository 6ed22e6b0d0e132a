// What a ResponseStream and its connection share: the bytes that wait, and who is to be told.
//
// Thread: any for the first group, the connection's io thread for the second.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "server/http/http_loop.h"
#include "server/http/responder.h"

namespace pollux {

class HttpStreamState {
 public:
  HttpStreamState(std::shared_ptr<HttpLoop> loop, std::weak_ptr<HttpConnection> connection,
                  ResponseStreamCallbacks callbacks);

  ResponseStream::Write write(std::string_view bytes);
  void end();
  bool closed() const;

  /// Moves what waits into `batch`, which is empty; false: nothing waits. `ended`: nothing more
  /// will come.
  bool take(std::string& batch, bool& ended);
  /// The batch is with the client's kernel.
  void sent();
  /// Nothing can be written any more. Tells on_closed, the first time.
  void connection_closed();

 private:
  void ask_for_flush();

  const std::shared_ptr<HttpLoop> loop_;
  const std::weak_ptr<HttpConnection> connection_;
  const size_t bytes_max_;

  mutable std::mutex mutex_;
  std::string waiting_;  // guarded by mutex_, as all below
  size_t in_flight_bytes_ = 0;
  bool ended_ = false;
  bool closed_ = false;
  bool refused_ = false;  // a write gave kFull and on_drain was not called since
  bool flush_asked_ = false;
  ResponseStreamCallbacks callbacks_;
};

}  // namespace pollux
