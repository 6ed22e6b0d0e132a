#include "ha/net/ways.h"

#include "ha/wire/forward.h"

namespace pollux {
namespace {

constexpr size_t kHelloBytesMax = size_t{16} << 20;  ///< a million epochs
constexpr size_t kHeartbeatBytesMax = 4096;

}  // namespace

size_t payload_bytes_max(Way way) {
  switch (way) {
    case Way::kMembershipOut:
      return 0;
    case Way::kMembershipIn:
      return kHeartbeatBytesMax;
    case Way::kEventSyncIn:
      return kHelloBytesMax;
    case Way::kForwardOut:
      return kForwardAnswerBytesMax;
    case Way::kEventSyncOut:
    case Way::kForwardIn:
      return kWirePayloadBytesMax;
  }
  return 0;
}

}  // namespace pollux
