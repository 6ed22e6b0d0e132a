// Known-wrong variants, by which the simulation shows that it would notice. All of them stand in
// tests: in what the node of the simulation does, in the disk under it, or in the checksum that the
// simulation is linked with.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pollux {

enum class Mutant {
  kNone,
  kNoFsync,              ///< a sync does nothing
  kRenameBeforeFsync,    ///< a file gets its name before its bytes last
  kSkipCrc,              ///< every checksum is right
  kPruneBeforeValid,     ///< old revisions go before the new one is whole
  kAckBeforeCommit,      ///< entries are acknowledged as soon as they are gathered
  kTrimBeforeConfirmed,  ///< results go before somebody has confirmed them
  kUnsyncedCut,          ///< a file that takes the place of another does not last under its name
  kKeepReadFile,         ///< a segment that was read once is read as it was then
};

struct NamedMutant {
  Mutant mutant;
  std::string_view name;
  std::string_view profile;  ///< under which it is looked for
};

inline constexpr std::array<NamedMutant, 9> kMutants = {{
    {Mutant::kNone, "none", "mixed"},
    {Mutant::kNoFsync, "no_fsync", "power"},
    {Mutant::kRenameBeforeFsync, "rename_before_fsync", "power"},
    {Mutant::kSkipCrc, "skip_crc", "rot"},
    {Mutant::kPruneBeforeValid, "prune_before_valid", "revisions"},
    {Mutant::kAckBeforeCommit, "ack_before_commit", "power"},
    {Mutant::kTrimBeforeConfirmed, "trim_before_confirmed", "power"},
    {Mutant::kUnsyncedCut, "unsynced_cut", "power"},
    {Mutant::kKeepReadFile, "keep_read_file", "mixed"},
}};

inline std::optional<NamedMutant> find_mutant(std::string_view name) {
  for (const NamedMutant& one : kMutants) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

}  // namespace pollux
