// Assertions that stay on in release. A failed one throws AssertionFailed: the plan in which it
// happened is suspended by whoever runs it; elsewhere nobody catches it and the process ends.
#pragma once

#include <stdexcept>
#include <string>

namespace pollux {

class AssertionFailed : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void fail_assertion(const char* condition, const char* file, int line);

}  // namespace pollux

#define POLLUX_CHECK(condition)                                 \
  do {                                                          \
    if (!(condition)) [[unlikely]]                              \
      ::pollux::fail_assertion(#condition, __FILE__, __LINE__); \
  } while (false)
