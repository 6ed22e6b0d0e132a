// How long things took: counts in buckets that are at most 3 % wide.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pollux::tool {

class LatencyCounts {
 public:
  void add(uint64_t micros);
  /// The latency that `part` of all do not exceed, to 3 %; 0 when there are none.
  uint64_t quantile(double part) const;
  uint64_t max() const { return max_; }

 private:
  static constexpr uint32_t kSubBits = 5;  // 32 buckets for each power of two
  static constexpr size_t kBuckets = size_t{64} << kSubBits;

  static size_t bucket_of(uint64_t micros);
  static uint64_t upper_bound(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

}  // namespace pollux::tool
