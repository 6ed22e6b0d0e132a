#include "server/node/latency_histogram.h"

#include <gtest/gtest.h>

#include <numeric>

namespace pollux {
namespace {

using std::chrono::microseconds;

uint64_t all_of(const LatencyHistogram::Counts& counts) {
  return std::accumulate(counts.of_each.begin(), counts.of_each.end(), uint64_t{0});
}

TEST(LatencyHistogramTest, ABoundBelongsToWhatIsBelowIt) {
  for (size_t i = 0; i < LatencyHistogram::kBoundsUs.size(); ++i) {
    LatencyHistogram histogram;
    histogram.note(microseconds(LatencyHistogram::kBoundsUs[i]));
    histogram.note(microseconds(LatencyHistogram::kBoundsUs[i] + 1));
    LatencyHistogram::Counts counts = histogram.counts();
    EXPECT_EQ(counts.of_each[i], 1U) << i;
    EXPECT_EQ(counts.of_each[i + 1], 1U) << i;
    EXPECT_EQ(all_of(counts), 2U);
  }
}

TEST(LatencyHistogramTest, CountsAndAddsWhatWasNoted) {
  LatencyHistogram histogram;
  histogram.note(microseconds(0));
  histogram.note(microseconds(120));
  histogram.note(std::chrono::hours(1));
  LatencyHistogram::Counts counts = histogram.counts();
  EXPECT_EQ(counts.of_each.front(), 1U);
  EXPECT_EQ(counts.of_each.back(), 1U);
  EXPECT_EQ(all_of(counts), 3U);
  EXPECT_EQ(counts.sum_us, 3'600'000'120U);
}

}  // namespace
}  // namespace pollux
