// `output ...`: holds back what the selector gave, and lets it out by count or by time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/language/ast.h"
#include "tests/oracle/clock.h"
#include "tests/oracle/event.h"

namespace pollux::oracle {

struct RatePlan;

class RateLimiter {
 public:
  using Out = std::function<void(CombinedChunk)>;

  virtual ~RateLimiter() = default;
  /// Takes a chunk that is not empty; what is let out goes as one chunk.
  virtual void process(CombinedChunk chunk) = 0;

 protected:
  void let_out(CombinedChunk chunk) {
    if (tells_empty_ || !chunk.empty()) out_(std::move(chunk));
  }
  bool tells_empty_ = false;  ///< callbacks hear of empty chunks as well
  Out out_;

  friend std::unique_ptr<RateLimiter> make_rate_limiter(const RatePlan& plan, Clock& clock,
                                                        Out out);
};

/// A rate, and what it depends on of its query.
struct RatePlan {
  const ast::OutputRate* rate = nullptr;
  bool grouped = false;
  // Of snapshots.
  bool windowed = false;         ///< rows leave again: a window or a join
  std::vector<bool> aggregated;  ///< by output attribute: it is an aggregate and nothing else
};

std::unique_ptr<RateLimiter> make_rate_limiter(const RatePlan& plan, Clock& clock,
                                               RateLimiter::Out out);

/// `output snapshot every t`; in snapshot_rate.cc.
std::unique_ptr<RateLimiter> make_snapshot(const RatePlan& plan, Clock& clock);

// Ticks at fixed distance from the first time that the clock showed (or from the making of the
// partition's instance).
class PerTime : public RateLimiter {
 public:
  PerTime(int64_t period, Clock& clock) : period_(period), clock_(clock) {
    clock_.when_started([this] {
      scheduled_ = clock_.now() + period_;
      wake();
    });
  }

 protected:
  virtual CombinedChunk take() = 0;

 private:
  void wake() {
    clock_.notify_at(scheduled_, [this](int64_t) {
      CombinedChunk out = take();
      scheduled_ += period_;
      wake();
      let_out(std::move(out));
    });
  }

  int64_t period_;
  Clock& clock_;
  int64_t scheduled_ = 0;
};

}  // namespace pollux::oracle
