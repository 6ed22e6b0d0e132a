// Messages that wait to be written, each for its way. Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "ha/net/ways.h"
#include "ha/pair/messages.h"

namespace pollux {

class SendQueue {
 public:
  /// `bytes_max`: of one way; a message that is longer is taken where nothing else waits.
  explicit SendQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  enum class Added : uint8_t {
    kWake,    ///< the first since rest(): whoever writes is to be told
    kAdded,   ///< he has been told
    kClosed,  ///< it was dropped
    kFull,    ///< it was dropped
  };
  Added add(PeerMessage message);

  /// From here on messages are taken.
  void open();
  /// And from here on no more; returns how many are dropped.
  size_t close();

  /// Whoever writes begins to look: what is added from here on wakes him again.
  void rest();
  /// The next one for this way.
  std::optional<PeerMessage> next(Way way);

 private:
  struct Waiting {
    PeerMessage message;
    size_t bytes;
  };
  struct Line {
    std::deque<Waiting> waiting;
    size_t bytes = 0;
  };

  const size_t bytes_max_;
  std::mutex mutex_;
  bool open_ = false;
  bool told_ = false;
  std::array<Line, kWays> lines_;
};

}  // namespace pollux
