// `output ...`: holds back what the selector gave, and lets it out by count or by time.
#pragma once

#include <functional>
#include <memory>

#include "engine/language/ast.h"
#include "tests/oracle/clock.h"
#include "tests/oracle/event.h"

namespace pollux::oracle {

class RateLimiter {
 public:
  using Out = std::function<void(CombinedChunk)>;

  virtual ~RateLimiter() = default;
  /// Takes a chunk that is not empty; what is let out goes as one chunk.
  virtual void process(CombinedChunk chunk) = 0;

 protected:
  void let_out(CombinedChunk chunk) {
    if (!chunk.empty()) out_(std::move(chunk));
  }
  Out out_;

  friend std::unique_ptr<RateLimiter> make_rate_limiter(const ast::OutputRate& rate, bool grouped,
                                                        Clock& clock, Out out);
};

/// Throws PlanError for rates that are not supported (snapshots).
std::unique_ptr<RateLimiter> make_rate_limiter(const ast::OutputRate& rate, bool grouped,
                                               Clock& clock, RateLimiter::Out out);

}  // namespace pollux::oracle
