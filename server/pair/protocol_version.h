// Which protocol a node speaks. A file of its own, so that a program of tests can stand for the
// release before this one. Thread: any.
#pragma once

#include <cstdint>

namespace pollux {

/// The newest version of the pair's protocol that this program speaks (ha/wire/handshake.h).
uint16_t newest_protocol_version();

}  // namespace pollux
