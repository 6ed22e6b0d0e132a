// What a fuzzer does with bytes: all that they can bring about at the other end of a connection.
#pragma once

#include <cstddef>
#include <string_view>

namespace pollux {

struct WireProbe {
  size_t frames = 0;  ///< whole ones
  size_t taken = 0;   ///< of these, those that say something
};

/// Reads `bytes` as frames in pieces of different lengths, and each frame as what its type says:
/// an offer, an answer, a message, a forward. Fails an assertion when what was taken, written
/// again, is not read as the same. Deterministic.
WireProbe probe_wire(std::string_view bytes);

/// The same with checksums, magics and lengths made right, so that what stands behind them is
/// reached.
WireProbe probe_mended_wire(std::string_view bytes);

}  // namespace pollux
