// What a node of a pair is at present. Thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace pollux {

/// Frozen: stands in heartbeats.
enum class Role : uint8_t {
  kStarting = 0,      ///< has not seen who leads
  kJoining = 1,       ///< follows, and may not be asked to lead: it lacks entries
  kPassive = 2,       ///< follows, and holds everything that is committed
  kActivePaired = 3,  ///< leads; nothing is committed that the other does not hold
  kActiveSolo = 4,    ///< leads alone
  kIsolated = 5,      ///< leads and can commit nothing, or follows nobody
  kStopping = 6,
};

constexpr std::string_view name_of(Role role) {
  switch (role) {
    case Role::kStarting:
      return "starting";
    case Role::kJoining:
      return "joining";
    case Role::kPassive:
      return "passive";
    case Role::kActivePaired:
      return "active-paired";
    case Role::kActiveSolo:
      return "active-solo";
    case Role::kIsolated:
      return "isolated";
    case Role::kStopping:
      return "stopping";
  }
  return "unknown";
}

constexpr bool leads(Role role) { return role == Role::kActivePaired || role == Role::kActiveSolo; }

}  // namespace pollux
