#include "engine/operators/distinct_count.h"

#include <algorithm>
#include <string_view>

namespace pollux {

void DistinctCount::run(const AggregateSteps& steps, Column& results) {
  sweep();
  auto* to = results.extend<int64_t>(steps.count);
  // In blocks: memory is asked for ahead of its use.
  constexpr uint32_t kBlock = 64;
  StringRef keys[kBlock];
  uint32_t values[kBlock];
  for (uint32_t begin = 0; begin < steps.count; begin += kBlock) {
    uint32_t rows = std::min(kBlock, steps.count - begin);
    for (uint32_t i = 0; i < rows; ++i) keys[i] = key_of(steps.argument, begin + i);
    values_.find_or_insert_many(keys, nullptr, rows, values);
    if (values_.capacity() > holders_.size()) holders_.resize(values_.capacity(), kFree);
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t group = steps.groups[begin + i];
      if (group >= counts_.size()) counts_.resize(group + 1);
      counts_[group].prefetch(values[i]);
    }
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t group = steps.groups[begin + i];
      step(group, values[i], steps.removes != nullptr && steps.removes[begin + i] != 0);
      to[begin + i] = counts_[group].size();
    }
  }
}

void DistinctCount::step(uint32_t group, uint32_t value, bool removes) {
  int32_t& holders = holders_[value];
  if (holders == kFree) holders = 0;
  if (removes) {
    if (counts_[group].remove(value)) let_go(value);
  } else if (counts_[group].add(value)) {
    referenced_ += holders++ == 0 ? 1 : 0;
  }
}

void DistinctCount::read(const uint32_t* groups, uint32_t count, Column& results) const {
  auto* to = results.extend<int64_t>(count);
  for (uint32_t i = 0; i < count; ++i) {
    to[i] = groups[i] < counts_.size() ? counts_[groups[i]].size() : 0;
  }
}

void DistinctCount::reset(uint32_t group) {
  if (group < counts_.size()) {
    counts_[group].clear([this](uint32_t value) { let_go(value); });
  }
}

void DistinctCount::sweep() {
  constexpr uint32_t kIdleMin = 1024;
  if (values_.size() <= 2 * referenced_ + kIdleMin) return;
  for (uint32_t value = 0; value < holders_.size(); ++value) {
    if (holders_[value] != 0) continue;
    values_.release(value);
    holders_[value] = kFree;
  }
}

StringRef DistinctCount::key_of(const Vec& values, uint32_t i) const {
  if (values.is_null(i)) return StringRef("\xff");  // no UTF-8 text and no number's bytes
  auto bytes = [](const auto& value) {
    return StringRef(std::string_view(reinterpret_cast<const char*>(&value), sizeof(value)));
  };
  switch (width_of(argument_)) {
    case 1:
      return bytes(values.at<char>(i));
    case 4:
      return bytes(values.at<int32_t>(i));
    case 8:
      return bytes(values.at<int64_t>(i));
    default:
      return values.at<StringRef>(i);
  }
}

void DistinctCount::archive_state(StateArchive& archive) {
  archive(values_, holders_, referenced_, counts_);
  if (holders_.size() < values_.capacity()) archive.fail();
  for (const IdCounts& counts : counts_) {
    counts.for_each([&](uint32_t value) {
      if (value >= values_.capacity()) archive.fail();
    });
  }
}

size_t DistinctCount::state_bytes() const {
  size_t bytes = values_.bytes() + holders_.capacity() * sizeof(int32_t) +
                 counts_.capacity() * sizeof(IdCounts);
  for (const IdCounts& counts : counts_) bytes += counts.bytes();
  return bytes;
}

}  // namespace pollux
