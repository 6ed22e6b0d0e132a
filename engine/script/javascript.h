// JavaScript functions of a plan: `define function f[javascript] return int { .. }`.
//
// One heap a plan. A call is a pure function of its arguments, the array `data`: no clock, no
// random numbers, nothing kept from one call to the next (what a script leaves behind is wiped
// off), so scripts have no state to save. A call is bounded in steps (turns of loops, calls), not
// in time, and the heap in bytes. ECMAScript 5.1, by Duktape.
// Thread: the plan's. Failure: a call that throws, goes beyond its bounds or returns what does not
// fit gives null; it is counted, and the last reason kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/expression/row_function.h"
#include "engine/types/attribute_type.h"

namespace pollux {

struct ScriptFailures {
  uint64_t count = 0;
  std::string last;  ///< "function: reason"; empty while there was none
};

class JavaScript {
 public:
  static constexpr uint32_t kStepsMax = 100'000;             ///< of a call
  static constexpr size_t kHeapBytesMax = size_t{16} << 20;  ///< of a plan

  JavaScript();
  ~JavaScript();
  JavaScript(const JavaScript&) = delete;
  JavaScript& operator=(const JavaScript&) = delete;

  struct Compiled {
    uint32_t function = 0;
    std::string error;  ///< not empty: what is wrong with the body
    uint32_t line = 1;  ///< of the error, in the body
    uint32_t column = 1;
  };
  /// `body` is what stands between the braces; `returns` any type but object.
  Compiled compile(const std::string& name, std::string_view body, AttributeType returns);

  AttributeType returns(uint32_t function) const;
  /// Puts the result for one row into `out`, or nothing.
  void call(uint32_t function, const RowArguments& arguments, RowResult& out);

  const ScriptFailures& failures() const;

 private:
  class Heap;
  std::unique_ptr<Heap> heap_;
};

}  // namespace pollux
