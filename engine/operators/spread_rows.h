// A stream function that makes of each row as many as a list or a map of that row has parts, with
// the part added to each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operators/stream_function.h"

namespace pollux {

/// Which attributes are added.
enum class SpreadForm : uint8_t {
  kElements,  ///< one: the element of a list or set
  kIndexed,   ///< two: its index, an int, and the element
  kPairs,     ///< two: key and value of a map
};

class SpreadRows final : public StreamFunction {
 public:
  /// `parts`: an object for each row; rows where it is null or has no parts go no further. The
  /// added attributes stand behind those of `input` in `output`, and are of type string, object or
  /// int.
  SpreadRows(const SchemaPtr& input, SchemaPtr output, ExpressionPtr parts, SpreadForm form,
             PlanContext& context);
  void receive(const Chunk& chunk) override;

 private:
  static void add(EventBatch& out, size_t column, std::string_view object);

  PlanContext& context_;
  size_t own_;  ///< attributes of the input
  ExpressionPtr parts_;
  SpreadForm form_;
  BatchPool pool_;
};

}  // namespace pollux
