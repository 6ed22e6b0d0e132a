// What an evaluation has cost so far. Queries that feed one another can multiply rows without end;
// a limit ends such an evaluation at the same point on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace pollux::oracle {

/// Thrown when the limit is reached; what was being evaluated is of no use any more.
struct TooMuchWork {};

class Work {
 public:
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  void set_limit(uint64_t limit) { limit_ = limit; }
  uint64_t done() const { return done_; }

  /// Counts rows that were looked at or made. Throws TooMuchWork.
  void add(size_t rows) {
    done_ += rows;
    if (done_ > limit_) throw TooMuchWork();
  }

 private:
  uint64_t limit_ = kUnlimited;
  uint64_t done_ = 0;
};

}  // namespace pollux::oracle
