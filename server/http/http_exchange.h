// One request that waits for its answer: what the copies of a Responder share.
//
// Thread: any.
#pragma once

#include <atomic>
#include <memory>

#include "server/http/http_loop.h"
#include "server/http/responder.h"

namespace pollux {

class HttpExchange {
 public:
  HttpExchange(std::shared_ptr<HttpLoop> loop, std::weak_ptr<HttpConnection> connection);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;
  ~HttpExchange();  ///< nobody answered: 500

  bool answer(HttpResponse response);
  std::shared_ptr<HttpStreamState> stream(HttpResponse head, ResponseStreamCallbacks callbacks);

 private:
  const std::shared_ptr<HttpLoop> loop_;
  const std::weak_ptr<HttpConnection> connection_;
  std::atomic<bool> answered_ = false;
};

}  // namespace pollux
