// The values that an expression had in the rows which a window holds. Thread: the shard's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/ring.h"
#include "engine/base/string_pool.h"
#include "engine/expression/vec.h"
#include "engine/state/state_archive.h"

namespace pollux {

class HeldValues {
 public:
  HeldValues(AttributeType type, StringPool& strings) : type_(type), strings_(strings) {}

  /// The value of each step: where removes[s] is 0, the next of `entering` comes in and is held;
  /// elsewhere the oldest that is held goes out. Valid until the next call.
  Vec take_steps(const Vec& entering, const uint8_t* removes, uint32_t steps);

  void archive(StateArchive& archive);
  size_t bytes() const { return words_.bytes() + texts_.bytes() + nulls_.bytes(); }

 private:
  template <class T>
  void take_words(const Vec& entering, const uint8_t* removes, uint32_t steps);
  void take_texts(const Vec& entering, const uint8_t* removes, uint32_t steps);
  /// False when none of the steps is null.
  bool take_nulls(const Vec& entering, const uint8_t* removes, uint32_t steps, uint32_t held);

  AttributeType type_;
  StringPool& strings_;
  Ring<uint64_t> words_;
  Ring<StringRef> texts_;
  Ring<uint8_t> nulls_;  ///< empty while no held value is null
  uint32_t nulls_held_ = 0;
  VecBuffer step_values_;
  std::vector<uint8_t> step_nulls_;
  std::vector<StringRef> left_texts_;  ///< given back when the next steps are taken
};

}  // namespace pollux
