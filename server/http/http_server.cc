#include "server/http/http_server.h"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/http/http_connection.h"
#include "server/http/http_loop.h"

namespace pollux {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr size_t kRefusalsInHandMax = 256;

std::string text_of(const tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) address = "[" + address + "]";
  return address + ":" + std::to_string(endpoint.port());
}

}  // namespace

/// Accepts on the first loop, and gives each connection to the loop that has the fewest.
struct HttpServer::Impl {
  using Acceptor = asio::basic_socket_acceptor<tcp, HttpLoop::Executor>;

  Impl(HttpServerOptions options, Router router) : shared(std::move(options), std::move(router)) {
    size_t threads = std::max<size_t>(shared.options.threads, 1);
    for (size_t i = 0; i < threads; ++i) loops.push_back(std::make_shared<HttpLoop>(shared));
    acceptor.emplace(loops[0]->context());
    pause.emplace(loops[0]->context());
  }

  absl::Status listen();
  void accept();
  void on_accepted(const std::shared_ptr<HttpLoop>& loop, error_code error,
                   HttpLoop::Socket socket);
  void hand_over(const std::shared_ptr<HttpLoop>& loop, HttpLoop::Socket socket,
                 const std::string& peer);
  void stop(std::chrono::milliseconds patience);

  HttpShared shared;
  std::vector<std::shared_ptr<HttpLoop>> loops;
  std::optional<Acceptor> acceptor;
  std::optional<HttpLoop::Timer> pause;
  uint16_t port = 0;
  bool stopped = false;
};

absl::Status HttpServer::Impl::listen() {
  const HttpServerOptions& options = shared.options;
  error_code error;
  auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return absl::InvalidArgumentError("HTTP: '" + options.address +
                                      "' is not an IPv4 or IPv6 address");
  }
  tcp::endpoint endpoint(address, options.port);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error && address.is_v6()) acceptor->set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(options.backlog, error);
  if (!error) port = acceptor->local_endpoint(error).port();
  if (!error) return absl::OkStatus();
  std::string message = "HTTP: cannot listen on " + text_of(endpoint) + ": " + error.message();
  if (error == asio::error::address_in_use) return absl::AlreadyExistsError(message);
  return absl::UnavailableError(message);
}

void HttpServer::Impl::accept() {
  std::shared_ptr<HttpLoop> loop = loops[0];
  for (const auto& other : loops) {
    if (other->connection_count() < loop->connection_count()) loop = other;
  }
  acceptor->async_accept(loop->context(), [this, loop](error_code error, HttpLoop::Socket socket) {
    on_accepted(loop, error, std::move(socket));
  });
}

void HttpServer::Impl::on_accepted(const std::shared_ptr<HttpLoop>& loop, error_code error,
                                   HttpLoop::Socket socket) {
  if (!acceptor->is_open()) return;
  if (error) {
    shared.counters.add(shared.counters.accept_errors);
    // No descriptor left, for example: trying again at once would only spin.
    pause->expires_after(kAcceptPause);
    return pause->async_wait([this](error_code stopped_waiting) {
      if (!stopped_waiting && acceptor->is_open()) accept();
    });
  }
  error_code gone;
  tcp::endpoint peer = socket.remote_endpoint(gone);
  if (!gone) hand_over(loop, std::move(socket), text_of(peer));
  accept();
}

void HttpServer::Impl::hand_over(const std::shared_ptr<HttpLoop>& loop, HttpLoop::Socket socket,
                                 const std::string& peer) {
  HttpCounters& counters = shared.counters;
  bool full = counters.connections_open.load() >= shared.options.connections_max;
  counters.add(full ? counters.connections_refused : counters.connections_accepted);
  size_t all = 0;
  for (const auto& other : loops) all += other->connection_count();
  // Who is refused hears it, unless there are too many of them.
  if (full && all >= shared.options.connections_max + kRefusalsInHandMax) return;
  if (!full) counters.connections_open.fetch_add(1);
  auto connection = std::make_shared<HttpConnection>(loop, std::move(socket), peer);
  loop->announce_connection();
  loop->post([loop, full, connection = std::move(connection)] {
    loop->add(connection);
    full ? connection->refuse() : connection->serve();
  });
}

void HttpServer::Impl::stop(std::chrono::milliseconds patience) {
  if (std::exchange(stopped, true)) return;
  auto until = HttpLoop::Clock::now() + patience;
  loops[0]->post([this] {
    error_code ignored;  // closed all the same
    acceptor->close(ignored);
    pause->cancel();
  });
  for (const auto& loop : loops) loop->begin_stop();
  shared.wait_for_end(loops, until);
  shared.workers.stop();
  for (const auto& loop : loops) loop->finish_stop();
  acceptor.reset();
  pause.reset();
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options,
                                                              Router router) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(router));
  absl::Status listening = impl->listen();
  if (!listening.ok()) return listening;
  impl->accept();
  for (const auto& loop : impl->loops) loop->start();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { stop(std::chrono::milliseconds(0)); }

uint16_t HttpServer::port() const { return impl_->port; }

const HttpCounters& HttpServer::counters() const { return impl_->shared.counters; }

void HttpServer::stop(std::chrono::milliseconds patience) { impl_->stop(patience); }

}  // namespace pollux
