// Aggregate functions over groups: values come in, go out again when they leave a window, and
// after each step the present result is known.
//
// Steps are taken in their order and accumulators are running ones, never recomputed, so results
// are the same however rows were packed. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/string_pool.h"
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
  /// Appends the present result of each of `count` groups to `results`.
  virtual void read(const uint32_t* groups, uint32_t count, Column& results) const = 0;
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

struct AggregatorEntry {
  std::string_view name;
  std::string_view signature;
  std::string_view doc;
};

/// All aggregate functions, for reference pages and hints.
const std::vector<AggregatorEntry>& aggregator_table();
bool is_aggregator(std::string_view name);

/// An aggregator by name ("distinctcount" and "stddev" are the names of older plans), or what
/// arguments it takes. `argument` is absent for count(). `in_order`: values leave in the order in
/// which they came, which makes min and max cheaper.
std::variant<std::unique_ptr<Aggregator>, std::string> make_aggregator(
    std::string_view name, const AttributeType* argument, StringPool& strings, bool in_order);

}  // namespace pollux
