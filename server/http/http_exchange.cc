#include "server/http/http_exchange.h"

#include <utility>

#include "server/http/http_connection.h"
#include "server/http/http_error.h"
#include "server/http/http_stream.h"

namespace pollux {

HttpExchange::HttpExchange(std::shared_ptr<HttpLoop> loop, std::weak_ptr<HttpConnection> connection)
    : loop_(std::move(loop)), connection_(std::move(connection)) {}

HttpExchange::~HttpExchange() {
  if (answered_) return;
  // A connection is only ever touched, and let go of, on its own thread.
  loop_->dispatch([weak = connection_] {
    if (auto connection = weak.lock()) connection->answer_dropped();
  });
}

bool HttpExchange::answer(HttpResponse response) {
  if (answered_.exchange(true)) return false;
  loop_->dispatch([weak = connection_, response = std::move(response)]() mutable {
    if (auto connection = weak.lock()) connection->answer(std::move(response));
  });
  return true;
}

std::shared_ptr<HttpStreamState> HttpExchange::stream(HttpResponse head,
                                                      ResponseStreamCallbacks callbacks) {
  auto state = std::make_shared<HttpStreamState>(loop_, connection_, std::move(callbacks));
  bool begins = !answered_.exchange(true) &&
                loop_->dispatch([weak = connection_, head = std::move(head), state]() mutable {
                  auto connection = weak.lock();
                  if (connection == nullptr) return state->connection_closed();
                  connection->start_stream(std::move(head), std::move(state));
                });
  if (!begins) state->connection_closed();
  return state;
}

Responder::Responder(std::shared_ptr<HttpExchange> exchange) : exchange_(std::move(exchange)) {}

bool Responder::answer(HttpResponse response) const {
  return exchange_->answer(std::move(response));
}

ResponseStream Responder::stream(HttpResponse head, ResponseStreamCallbacks callbacks) const {
  return ResponseStream(exchange_->stream(std::move(head), std::move(callbacks)));
}

}  // namespace pollux
