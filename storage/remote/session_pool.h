// Sessions with a database that are used again. Thread: any; each session one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/remote/deadline.h"
#include "storage/remote/pool_options.h"

namespace pollux {

/// `Session` has is_open(), which asks nobody.
template <class Session>
class SessionPool : public std::enable_shared_from_this<SessionPool<Session>> {
 public:
  using Connect = std::function<absl::StatusOr<std::unique_ptr<Session>>(const Deadline&)>;
  /// Whether the server still answers on it.
  using Validate = std::function<bool(Session&, const Deadline&)>;

  SessionPool(PoolOptions options, Connect connect, Validate validate)
      : options_(options), connect_(std::move(connect)), validate_(std::move(validate)) {}

  /// A session that is out: comes back when the lease ends, unless it was broken.
  class Lease {
   public:
    Lease(std::shared_ptr<SessionPool> pool, std::unique_ptr<Session> session)
        : pool_(std::move(pool)), session_(std::move(session)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_) pool_->take_back(std::move(session_));
    }
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }
    /// An error came: what state it is in is not known.
    void break_off() { session_.reset(); }
    bool is_whole() const { return session_ != nullptr; }

   private:
    std::shared_ptr<SessionPool> pool_;
    std::unique_ptr<Session> session_;
  };

  /// kResourceExhausted: all are in use for too long; else why there is no connection.
  absl::StatusOr<Lease> take(const Deadline& deadline) {
    Idle idle;
    {
      std::unique_lock lock(mutex_);
      auto wait = std::chrono::milliseconds(
          std::min<int64_t>(options_.max_wait_ms, deadline.remaining_ms()));
      if (!came_back_.wait_for(lock, wait, [this] { return active_ < options_.max_active; })) {
        return absl::ResourceExhaustedError("all sessions with the database are in use");
      }
      ++active_;
      idle = newest_idle();
    }
    while (idle.session && !is_good(idle, deadline)) {
      idle.session.reset();
      std::lock_guard lock(mutex_);
      idle = newest_idle();
    }
    if (idle.session) return Lease(this->shared_from_this(), std::move(idle.session));
    auto connected = connect_(deadline);
    if (connected.ok()) return Lease(this->shared_from_this(), *std::move(connected));
    take_back(nullptr);
    return connected.status();
  }

  /// Opens sessions until there are as many as shall rest at least, those in use counted.
  absl::Status fill(const Deadline& deadline) {
    while (true) {
      {
        std::lock_guard lock(mutex_);
        if (active_ + idle_.size() >= options_.min_idle) return absl::OkStatus();
        ++active_;
      }
      auto connected = connect_(deadline);
      take_back(connected.ok() ? *std::move(connected) : nullptr);
      if (!connected.ok()) return connected.status();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Idle {
    std::unique_ptr<Session> session;
    Clock::time_point since;
  };

  /// Without a session: there is none.
  Idle newest_idle() {
    if (idle_.empty()) return {};
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    return last;
  }

  bool is_good(const Idle& idle, const Deadline& deadline) const {
    if (!idle.session->is_open()) return false;
    if (!options_.test_on_borrow) return true;
    const bool rested =
        Clock::now() - idle.since > std::chrono::milliseconds(options_.validation_interval_ms);
    return !rested || validate_(*idle.session, deadline);
  }

  void take_back(std::unique_ptr<Session> session) {
    {
      std::unique_lock lock(mutex_);
      if (session && idle_.size() < std::max(options_.max_idle, options_.min_idle)) {
        idle_.push_back({std::move(session), Clock::now()});
      } else if (session) {
        lock.unlock();
        session.reset();  // while it still counts, so that nobody opens another beside it
        lock.lock();
      }
      --active_;
    }
    came_back_.notify_one();
  }

  const PoolOptions options_;
  const Connect connect_;
  const Validate validate_;

  std::mutex mutex_;
  std::condition_variable came_back_;
  size_t active_ = 0;
  std::vector<Idle> idle_;  // oldest first
};

}  // namespace pollux
