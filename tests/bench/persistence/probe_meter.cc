#include "tests/bench/persistence/probe_meter.h"

#include <pthread.h>
#include <time.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace pollux::bench {
namespace {

constexpr std::chrono::minutes kPatience{5};

}  // namespace

ProbeMeter::ProbeMeter(std::shared_ptr<ResultLog> log)
    : log_(std::move(log)), from_(log_->end()), thread_([this] { run(); }) {
  listener_ = log_->listen([this] {
    std::lock_guard lock(mutex_);
    news_ = true;
    changed_.notify_all();
  });
}

ProbeMeter::~ProbeMeter() {
  listener_.reset();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ProbeMeter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return news_ || stopping_; });
    if (stopping_) return;
    news_ = false;
    lock.unlock();
    int64_t now = now_ns();
    ResultLog::Read read = log_->read(from_, SIZE_MAX);
    lock.lock();
    for (const ResultSlicePtr& slice : read.slices) {
      const int64_t* due = slice->batch->column(0).data<int64_t>();
      for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
        if (slice->first + row < from_) continue;
        latencies_.push_back({due[row], now - due[row]});
        ++seen_;
      }
    }
    from_ = read.next;
    changed_.notify_all();
  }
}

std::vector<Latency> ProbeMeter::take_once(uint64_t probes) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return seen_ >= probes; })) {
    throw std::runtime_error("results are missing");
  }
  return std::exchange(latencies_, {});
}

double ProbeMeter::cpu_seconds() const {
  clockid_t clock;
  timespec used = {};
  if (::pthread_getcpuclockid(const_cast<std::thread&>(thread_).native_handle(), &clock) != 0 ||
      ::clock_gettime(clock, &used) != 0) {
    throw std::runtime_error("a thread's CPU time cannot be read");
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}  // namespace pollux::bench
