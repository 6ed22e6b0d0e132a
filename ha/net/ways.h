// The connections of a pair, as one node sees them, and what may go over which. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ha/pair/messages.h"
#include "ha/wire/handshake.h"
#include "ha/wire/wire_frame.h"

namespace pollux {

/// The first three are those that this node dials.
enum class Way : uint8_t {
  kMembershipOut,
  kEventSyncOut,
  kForwardOut,
  kMembershipIn,
  kEventSyncIn,
  kForwardIn,
};
inline constexpr size_t kWays = 6;

constexpr size_t index_of(Way way) { return static_cast<size_t>(way); }

constexpr ConnectionKind kind_of(Way way) {
  return static_cast<ConnectionKind>(index_of(way) % 3 + 1);
}

constexpr Way way_of(ConnectionKind kind, bool dialled) {
  return static_cast<Way>(static_cast<size_t>(kind) - 1 + (dialled ? 0 : 3));
}

/// Messages and forwards do not mix.
constexpr bool carries_messages(Way way) { return kind_of(way) != ConnectionKind::kForward; }

constexpr std::string_view name_of(ConnectionKind kind) {
  switch (kind) {
    case ConnectionKind::kMembership:
      return "membership";
    case ConnectionKind::kEventSync:
      return "event sync";
    case ConnectionKind::kForward:
      return "forward";
  }
  return "unknown";
}

/// On which a message leaves.
inline Way way_of(const PeerMessage& message) {
  if (std::holds_alternative<Heartbeat>(message.body)) return Way::kMembershipOut;
  bool follows = std::holds_alternative<Hello>(message.body) ||
                 std::holds_alternative<Ack>(message.body) ||
                 std::holds_alternative<PlanHashes>(message.body);
  return follows ? Way::kEventSyncOut : Way::kEventSyncIn;
}

/// The first version of the protocol that knows it.
inline uint16_t version_of(const PeerMessage& message) {
  bool second = std::holds_alternative<PlanHashes>(message.body) ||
                std::holds_alternative<ApplyDeaths>(message.body);
  return second ? 2 : 1;
}

/// Whether a frame may come on it.
constexpr bool may_come(Way way, WireType type) {
  switch (way) {
    case Way::kMembershipOut:
      return false;
    case Way::kMembershipIn:
      return type == WireType::kHeartbeat;
    case Way::kEventSyncOut:
      return type == WireType::kWelcome || type == WireType::kSnapshotNeeded ||
             type == WireType::kEntries || type == WireType::kSwitchOver ||
             type == WireType::kConfirmed || type == WireType::kApplyDeaths ||
             type == WireType::kOrders;
    case Way::kEventSyncIn:
      return type == WireType::kHello || type == WireType::kAck || type == WireType::kPlanHashes;
    case Way::kForwardOut:
      return type == WireType::kForwardAnswer;
    case Way::kForwardIn:
      return type == WireType::kForward;
  }
  return false;
}

/// The longest payload that makes sense on it.
size_t payload_bytes_max(Way way);

}  // namespace pollux
