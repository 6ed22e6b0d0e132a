// A script that counts its steps: JavaScript as it was written, with a call of kStepFunction at
// every turn of a loop and at the beginning of every function.
//
// The interpreter offers no way to stop a script after so much work, so the text brings it along.
// What is inserted stays on its line. Only what is understood without doubt is let through: text in
// which a loop could hide from this reader (HTML comments, odd line ends, letters beyond ASCII
// outside of strings) is refused, and so are regular expressions, whose work nothing bounds.
// Grammar as in ECMAScript 5.1, chapters 7 and 12.
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pollux {

/// Called at each step; returns true, or throws once there were too many.
constexpr std::string_view kStepFunction = "$pollux_step";
/// Called with what a for-in goes through, and returns it; its keys count as steps.
constexpr std::string_view kKeysFunction = "$pollux_keys";

struct CheckedScript {
  std::string text;   ///< empty after an error
  std::string error;  ///< what is wrong; empty when all is well
  uint32_t line = 1;  ///< of the error, in `body`
  uint32_t column = 1;
};

/// `body` is what stands between the braces of a function.
CheckedScript with_step_checks(std::string_view body);

}  // namespace pollux
