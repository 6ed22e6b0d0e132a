// The target that libFuzzer runs; scripts/fuzz builds it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/plan_probe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  pollux::probe_plan({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
