// What a Replica that leads sends, made shorter for a follower that gets copies of the events from
// their clients: of entries of such streams only the order goes. Thread: any.
#pragma once

#include <cstdint>
#include <mutex>

#include "ha/pair/messages.h"

namespace pollux {

class OrderShipping {
 public:
  explicit OrderShipping(const DuplicatedStreams& streams) : streams_(streams) {}

  /// Of the follower, before the Replica gets it.
  void on_hello(const Hello& hello);
  /// A message that is about to leave.
  PeerMessage prepare(PeerMessage message);

  uint64_t shipped() const;  ///< entries that went as orders

 private:
  const DuplicatedStreams& streams_;
  mutable std::mutex mutex_;
  SessionNonce session_;  // that takes orders
  uint32_t in_full_ = 0;  // as its Hello has it
  Position full_upto_;
  uint64_t shipped_ = 0;
};

}  // namespace pollux
