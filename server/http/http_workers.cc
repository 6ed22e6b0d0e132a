#include "server/http/http_workers.h"

#include <exception>
#include <string>
#include <utility>

#include "server/http/gzip.h"
#include "server/http/http_error.h"

namespace pollux {

namespace {

/// False: answered with what is wrong.
bool inflate_body(const HttpRoute& route, HttpRequest& request, const Responder& responder) {
  auto encoding = request.headers.find("Content-Encoding");
  if (!encoding || http_names_equal(*encoding, "identity") || request.body.empty()) return true;
  std::string body;
  switch (gunzip(request.body, route.body_bytes_max, body)) {
    case GunzipResult::kOk:
      request.body = std::move(body);
      return true;
    case GunzipResult::kTooLarge:
      responder.answer(http_error(413, "the inflated body is longer than " +
                                           std::to_string(route.body_bytes_max) + " bytes"));
      return false;
    case GunzipResult::kBroken:
      responder.answer(http_error(400, "the body is not gzip, or is broken"));
      return false;
  }
  return false;
}

}  // namespace

void run_http_handler(const HttpRoute& route, HttpRequest request, Responder responder) {
  // Whoever throws must not take the process, nor the connection's thread, along.
  try {
    if (inflate_body(route, request, responder)) route.handler(std::move(request), responder);
  } catch (const std::exception& thrown) {
    responder.answer(http_error(500, std::string("the handler failed: ") + thrown.what()));
  } catch (...) {
    responder.answer(http_error(500, "the handler failed"));
  }
}

HttpWorkers::HttpWorkers(size_t threads, size_t queue_max) : queue_max_(queue_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

HttpWorkers::~HttpWorkers() { stop(); }

bool HttpWorkers::submit(Job& job) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void HttpWorkers::stop() {
  std::deque<Job> dropped;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void HttpWorkers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (stopped_) return;
    {
      Job job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      run_http_handler(*job.route, std::move(job.request), std::move(job.responder));
    }
    lock.lock();
  }
}

}  // namespace pollux
