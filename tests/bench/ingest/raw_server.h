// A plain TCP server that reads framed requests and acknowledges each: what a socket alone can do.
//
// Frame: its length as four bytes, lowest first, then the bytes. Acknowledgement: eight bytes, the
// number of the frame. Those of all frames that one read brought go out in one write.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pollux::bench {

inline constexpr size_t kRawAckBytes = 8;

std::string frame(std::string_view bytes);

/// Prints its port and serves until standard input ends.
void run_raw_server();

}  // namespace pollux::bench
