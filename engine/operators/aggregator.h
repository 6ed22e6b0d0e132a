// Aggregate functions over groups: values come in, go out again when they leave a window, and
// after each step the present result is known.
//
// Steps are taken in their order and accumulators are running ones, never recomputed, so results
// are the same however rows were packed. Thread: the shard's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/batch/arena.h"
#include "engine/batch/column.h"
#include "engine/expression/vec.h"
#include "engine/state/state_archive.h"

namespace pollux {

struct AggregateSteps {
  uint32_t count = 0;
  const uint32_t* groups = nullptr;
  const uint8_t* removes = nullptr;  ///< 1: the value leaves; nullptr: every value comes in
  Vec argument = {};                 ///< one value a step; ignored by count()
  bool removes_seen = true;          ///< false: nobody reads the result after a removing step
  bool last_seen = false;            ///< true: only a group's result after its last step is read
  Arena* texts = nullptr;            ///< where results of type string or object keep their bytes
};

class Aggregator {
 public:
  explicit Aggregator(AttributeType result_type) : result_type_(result_type) {}
  virtual ~Aggregator() = default;
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  AttributeType result_type() const { return result_type_; }

  /// Takes the steps and appends the group's result after each to `results`.
  virtual void run(const AggregateSteps& steps, Column& results) = 0;
  /// Appends the present result of each of `count` groups to `results`. Only of those that an
  /// incremental aggregation may have.
  virtual void read(const uint32_t* /*groups*/, uint32_t /*count*/, Column& /*results*/) const {
    fail_assertion("an aggregate of an aggregation", __FILE__, __LINE__);
  }
  /// A fresh group goes on from a result that read() gave. Only of those that a stored aggregation
  /// may have.
  virtual void begin_with(uint32_t /*group*/, const Column& /*results*/, uint32_t /*row*/) {
    fail_assertion("an aggregate of a stored aggregation", __FILE__, __LINE__);
  }
  /// Back to the state of a fresh group. A batch that ends ends what lasts for ever as well, as in
  /// the original.
  virtual void reset(uint32_t group) = 0;
  /// The group number will be given to another group.
  virtual void release(uint32_t group) = 0;
  /// Whether the group's state equals that of a fresh one in all that can be seen.
  virtual bool is_fresh(uint32_t group) const = 0;
  virtual size_t state_bytes() const = 0;
  /// Saves the state of all groups, or loads it into an aggregator that is as new.
  virtual void archive_state(StateArchive& archive) = 0;

 private:
  AttributeType result_type_;
};

}  // namespace pollux
