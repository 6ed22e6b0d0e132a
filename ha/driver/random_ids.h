// Ids of the operating system's randomness. Thread: any.
#pragma once

#include "ha/base/random_id.h"
#include "persistence/segments/log_id.h"

namespace pollux {

template <class Id>
Id random_id() {
  LogId bits = random_log_id();
  return {bits.high, bits.low};
}

}  // namespace pollux
