// What the link to the peer has done, refused and dropped; read by whoever shows metrics.
//
// Thread: any; each number is right for itself.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "ha/wire/handshake.h"

namespace pollux {

struct LinkCounters {
  using Counter = std::atomic<uint64_t>;

  Counter connects = 0;     ///< the way to the peer was open in all its parts
  Counter disconnects = 0;  ///< and has ended
  Counter bytes_in = 0;
  Counter bytes_out = 0;
  Counter messages_in = 0;
  Counter messages_out = 0;
  Counter dials = 0;
  Counter dials_failed = 0;  ///< nobody there, no answer in time, or none that can be read

  // Connections that others made and that did not become part of a link.
  std::array<Counter, kRefusals> refused = {};  ///< by Refusal
  Counter not_ours = 0;           ///< what came was not of Pollux, or of an unknown version
  Counter handshakes_broken = 0;  ///< checksums, lengths, or an end before the handshake's end
  Counter handshakes_late = 0;    ///< not complete within handshake_timeout
  Counter accept_errors = 0;      ///< no file descriptor left, for example

  Counter violations = 0;       ///< connections ended since something came that may not
  Counter dropped_closed = 0;   ///< messages while the way was not open
  Counter dropped_full = 0;     ///< messages for which the queue had no room
  Counter dropped_long = 0;     ///< messages that are longer than a frame may be
  Counter queue_overflows = 0;  ///< connections ended since their queue was full

  Counter forwards_out = 0;
  Counter forwards_in = 0;
  Counter forwards_refused = 0;        ///< ours, without credit or way
  Counter forwards_lost = 0;           ///< ours, not answered when the connection ended
  Counter forwards_beyond_credit = 0;  ///< the peer's

  void add(Counter& counter, uint64_t by = 1) const {
    counter.fetch_add(by, std::memory_order_relaxed);
  }
};

}  // namespace pollux
