#include "server/pair/protocol_version.h"

#include "ha/wire/handshake.h"

namespace pollux {

uint16_t newest_protocol_version() { return kProtocolVersionMax; }

}  // namespace pollux
