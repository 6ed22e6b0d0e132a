// Slices of results as records: what comes back is what went in, and what was damaged is refused.
#include "persistence/codec/result_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/persistence/codec/damage.h"
#include "tests/persistence/codec/random_entries.h"
#include "tests/persistence/codec/same_entry.h"

namespace pollux {
namespace {

OutboxSlice random_slice(uint64_t seed) {
  RandomEntries random(seed);
  OutboxSlice slice;
  slice.first = random.below(UINT64_MAX);
  slice.plan = random.text(40);
  slice.cause = {{random.below(UINT64_MAX)}, {random.below(UINT64_MAX)}};
  slice.batch = random.batch(random.schema(), static_cast<uint32_t>(random.below(20)));
  for (uint32_t row = 0; row < slice.batch->rows(); ++row) {
    slice.ordinals.push_back(static_cast<uint32_t>(row * 3 + random.below(3)));
  }
  return slice;
}

std::string encoded(const OutboxSlice& slice) {
  SchemaSet known;
  std::string bytes;
  ResultBatch results{slice.plan, slice.batch->schema().name(), slice.cause, slice.batch,
                      slice.ordinals};
  EXPECT_TRUE(encode_results(results, slice.first, known, bytes).ok());
  return bytes;
}

/// The only slice that stands there; an error when there is none.
absl::StatusOr<OutboxSlice> read_slice(std::string_view bytes) {
  SchemaTable schemas;
  while (!bytes.empty()) {
    RecordFrame frame = read_frame(bytes);
    if (frame.state != FrameState::kWhole) return absl::DataLossError("not whole");
    auto slice = decode_results(frame, schemas);
    if (!slice.ok()) return slice.status();
    if (slice->has_value()) return **std::move(slice);
    bytes.remove_prefix(frame.bytes);
  }
  return absl::NotFoundError("no slice");
}

TEST(ResultCodec, ASliceComesBackAsItWas) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    OutboxSlice slice = random_slice(seed);
    auto read = read_slice(encoded(slice));
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.status();
    EXPECT_EQ(read->first, slice.first);
    EXPECT_EQ(read->plan, slice.plan);
    EXPECT_EQ(read->cause, slice.cause);
    EXPECT_EQ(read->ordinals, slice.ordinals);
    expect_same(*read->batch, *slice.batch);
    EXPECT_EQ(encoded(*read), encoded(slice));
  }
}

TEST(ResultCodec, ASliceThatIsCutIsNoSlice) {
  std::string bytes = encoded(random_slice(3));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_slice(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
}

TEST(ResultCodec, DamageWithRightChecksumsNeverCrashes) {
  constexpr uint64_t kSeeds = 10'000;
  size_t refused = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::string bytes = encoded(random_slice(seed / 20));
    RandomEntries random(seed);
    damage(bytes, random);
    mend(bytes);
    refused += read_slice(bytes).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, kSeeds / 4);
}

}  // namespace
}  // namespace pollux
