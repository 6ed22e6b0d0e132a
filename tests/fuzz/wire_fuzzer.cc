// The target that libFuzzer runs on bytes of a connection; scripts/fuzz builds it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/wire_probe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  pollux::probe_wire(text);
  pollux::probe_mended_wire(text);
  return 0;
}
