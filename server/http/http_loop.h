// One io thread: its io_context, its connections, the check of their deadlines.
//
// Thread: io, unless said otherwise. Owner: HttpServer; answers that are still to come share it, so
// that they may come when the server is gone.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "server/http/http_server.h"
#include "server/http/http_workers.h"

namespace pollux {

class HttpConnection;

/// What all threads of a server share.
struct HttpShared {
  HttpShared(HttpServerOptions given, Router routes)
      : options(std::move(given)),
        router(std::move(routes)),
        workers(options.workers, options.worker_queue_max) {}

  const HttpServerOptions options;
  const Router router;
  HttpCounters counters;
  HttpWorkers workers;

  /// Thread: any. Takes from bodies_bytes_max; false, and nothing taken, when it would be passed.
  bool hold_body_bytes(size_t bytes);
  void release_body_bytes(size_t bytes);
  /// Thread: any. Wakes who waits for connections to end.
  void connection_ended();
  /// Thread: any. Waits until no loop has a connection; false: not before `until`.
  template <class Loops>
  bool wait_for_end(const Loops& loops, std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    return ended_.wait_until(lock, until, [&loops] {
      for (const auto& loop : loops) {
        if (loop->connection_count() > 0) return false;
      }
      return true;
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
};

class HttpLoop : public std::enable_shared_from_this<HttpLoop> {
 public:
  using Clock = std::chrono::steady_clock;
  using Executor = boost::asio::io_context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

  explicit HttpLoop(HttpShared& shared);
  ~HttpLoop();

  void start();
  /// Thread: any. Idle connections and streams end; requests in hand go on.
  void begin_stop();
  /// Thread: the one that stops the server. Cuts what is left and joins; from here on post()
  /// refuses.
  void finish_stop();

  /// Thread: any. Runs `work` on the io thread; false, and it never runs, when the loop has
  /// stopped.
  template <class Work>
  bool post(Work work) {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    boost::asio::post(context_, std::move(work));
    return true;
  }
  /// The same, at once when this is the io thread.
  template <class Work>
  bool dispatch(Work work) {
    if (!context_.get_executor().running_in_this_thread()) return post(std::move(work));
    work();
    return true;
  }

  /// Thread: any. Counts a connection that add() will bring.
  void announce_connection() { ++count_; }
  void add(std::shared_ptr<HttpConnection> connection);
  void remove(const std::shared_ptr<HttpConnection>& connection);
  /// Thread: any.
  size_t connection_count() const { return count_; }
  bool stopping() const { return stopping_; }
  /// For the Date header; renewed with each check of the deadlines.
  const std::string& date() const { return date_; }

  boost::asio::io_context& context() { return context_; }
  HttpShared& shared() { return shared_; }

 private:
  void check_deadlines();
  void close_all();

  HttpShared& shared_;
  boost::asio::io_context context_{1};  // one thread runs it
  boost::asio::executor_work_guard<Executor> work_;
  Timer timer_;
  const Clock::duration check_interval_;
  std::unordered_set<std::shared_ptr<HttpConnection>> connections_;
  std::atomic<size_t> count_ = 0;
  std::string date_;
  bool stopping_ = false;

  std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace pollux
