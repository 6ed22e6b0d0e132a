#include "engine/base/check.h"

namespace pollux {

void fail_assertion(const char* condition, const char* file, int line) {
  throw AssertionFailed(std::string(file) + ":" + std::to_string(line) + ": failed: " + condition);
}

}  // namespace pollux
