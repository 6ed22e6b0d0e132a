// A message as it arrives: written as bytes and read again.
#pragma once

#include "ha/pair/messages.h"

namespace pollux {

/// Throws a Violation when it cannot be read, and for one in four when what is read is not what was
/// written. Thread: any.
PeerMessage over_wire(const PeerMessage& message);

}  // namespace pollux
