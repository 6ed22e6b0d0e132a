// What a run of the simulation does, and which faults it meets how often.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pollux {

enum class Fault {
  kKill,         ///< the process ends, between two operations
  kKillInside,   ///< the process ends in the middle of one
  kPowerCut,     ///< the machine ends: unsynced bytes and names are lost or torn
  kPowerInside,  ///< the same in the middle of an operation
  kFailedSync,   ///< and what was to last can still be read
  kFullDisk,
  kSlowDisk,  ///< more is gathered while a sync goes on
  kReadOnly,  ///< at a start
  kRotJournal,
  kRotRevision,
  kRotOutbox,
};
inline constexpr size_t kFaults = 11;

struct Profile {
  std::string_view name;
  std::array<uint32_t, kFaults> weights;  ///< of each fault
  uint32_t persist_one_in;                ///< groups of entries
};

inline constexpr std::array<Profile, 5> kProfiles = {{
    {"mixed", {2, 2, 3, 4, 2, 2, 1, 1, 2, 2, 1}, 16},
    {"power", {0, 1, 4, 8, 1, 0, 1, 0, 0, 0, 0}, 8},
    {"rot", {1, 0, 1, 1, 0, 0, 0, 0, 6, 1, 2}, 12},
    {"revisions", {0, 0, 1, 6, 0, 0, 0, 0, 0, 6, 0}, 4},
    {"full", {1, 1, 1, 2, 2, 8, 1, 2, 0, 0, 0}, 100},
}};

inline std::optional<Profile> find_profile(std::string_view name) {
  for (const Profile& one : kProfiles) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

}  // namespace pollux
