// What makes polluxd_previous speak as the release before this one does: in its place among the
// objects, the library's own is not linked.
#include "server/pair/protocol_version.h"

#include "ha/wire/handshake.h"

namespace pollux {

static_assert(kProtocolVersionMax > kProtocolVersionMin);

uint16_t newest_protocol_version() { return kProtocolVersionMax - 1; }

}  // namespace pollux
