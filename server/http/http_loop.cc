#include "server/http/http_loop.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "server/http/http_connection.h"

namespace pollux {

namespace {

using std::chrono::milliseconds;

/// Often enough for the shortest timeout, seldom enough to cost nothing.
HttpLoop::Clock::duration interval_for(const HttpServerOptions& options) {
  milliseconds shortest =
      std::min({options.header_timeout, options.idle_timeout, options.body_timeout,
                options.write_timeout, options.drain_timeout});
  return std::clamp(shortest / 4, milliseconds(5), milliseconds(250));
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), whatever the locale.
std::string http_date() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[64];
  std::snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday],
                utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text;
}

}  // namespace

bool HttpShared::hold_body_bytes(size_t bytes) {
  uint64_t before = counters.body_bytes_held.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= options.bodies_bytes_max) return true;
  release_body_bytes(bytes);
  return false;
}

void HttpShared::release_body_bytes(size_t bytes) {
  counters.body_bytes_held.fetch_sub(bytes, std::memory_order_relaxed);
}

void HttpShared::connection_ended() {
  { std::lock_guard lock(mutex_); }
  ended_.notify_all();
}

HttpLoop::HttpLoop(HttpShared& shared)
    : shared_(shared),
      work_(context_.get_executor()),
      timer_(context_),
      check_interval_(interval_for(shared.options)),
      date_(http_date()) {}

HttpLoop::~HttpLoop() = default;

void HttpLoop::start() {
  check_deadlines();
  thread_ = std::thread([this] { context_.run(); });
}

void HttpLoop::check_deadlines() {
  date_ = http_date();
  Clock::time_point now = Clock::now();
  std::vector<std::shared_ptr<HttpConnection>> late;
  for (const auto& connection : connections_) {
    if (connection->deadline() <= now) late.push_back(connection);
  }
  for (const auto& connection : late) connection->on_deadline();
  timer_.expires_after(check_interval_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) check_deadlines();
  });
}

void HttpLoop::add(std::shared_ptr<HttpConnection> connection) {
  connections_.insert(std::move(connection));
}

void HttpLoop::remove(const std::shared_ptr<HttpConnection>& connection) {
  if (connections_.erase(connection) == 0) return;
  --count_;
  if (stopping_) shared_.connection_ended();
}

void HttpLoop::begin_stop() {
  post([this] {
    stopping_ = true;
    std::vector<std::shared_ptr<HttpConnection>> all(connections_.begin(), connections_.end());
    for (const auto& connection : all) connection->begin_stop();
    shared_.connection_ended();  // what ended before this was not told
  });
}

void HttpLoop::close_all() {
  std::vector<std::shared_ptr<HttpConnection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->close();
}

void HttpLoop::finish_stop() {
  post([this] {
    close_all();
    context_.stop();
  });
  if (thread_.joinable()) thread_.join();
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  // What was posted meanwhile runs here: it finds its connection closed, and lets go of it.
  timer_.cancel();
  work_.reset();
  for (int round = 0; round < 2; ++round) {
    context_.restart();
    context_.poll();
    close_all();
  }
}

}  // namespace pollux
