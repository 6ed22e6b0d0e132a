#include "server/tool/send/latency_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pollux::tool {

// Values below 32 have a bucket each; above, the five bits behind the highest one choose it.
size_t LatencyCounts::bucket_of(uint64_t micros) {
  if (micros < (1u << kSubBits)) return micros;
  const auto shift = static_cast<uint32_t>(std::bit_width(micros)) - kSubBits - 1;
  return (size_t{shift + 1} << kSubBits) + ((micros >> shift) - (1u << kSubBits));
}

uint64_t LatencyCounts::upper_bound(size_t bucket) {
  if (bucket < (1u << kSubBits)) return bucket;
  const size_t shift = (bucket >> kSubBits) - 1;
  const uint64_t top = (bucket & ((1u << kSubBits) - 1)) + (1u << kSubBits);
  return ((top + 1) << shift) - 1;
}

void LatencyCounts::add(uint64_t micros) {
  ++counts_[bucket_of(micros)];
  ++total_;
  max_ = std::max(max_, micros);
}

uint64_t LatencyCounts::quantile(double part) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(part * static_cast<double>(total_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen != 0 && seen >= wanted) return std::min(upper_bound(bucket), max_);
  }
  return 0;
}

}  // namespace pollux::tool
