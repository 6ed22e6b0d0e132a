// Known-wrong variants of the pair, by which the simulation shows that it would notice: of the
// protocol's guards (mutant_rules.h), and of the node of the simulation around them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pollux {

enum class PairMutant : uint8_t {
  kNone,
  // Guards of the protocol.
  kNoSyncCheck,
  kAckOfLength,
  kAckOfAnyEpoch,
  kAckOfAnyJournal,
  kSoloBeforeConfirmed,
  kFlagBeforeAcks,
  kNoCheckOfAcks,
  kUnknownAsFailure,
  kCommittedFromZero,
  kReusedEpoch,
  kNoTruncation,
  kCommitUnsynced,
  kNoNewIdForSnapshot,
  kStaleWelcome,
  kAsksUnsynced,
  kDivergenceNotChecked,
  // The node around it.
  kNamesForJournals,
  kNoNewIdForPower,
  kOutputAtTail,
  kOutputUncommitted,
  kWatermarkEarly,
  kNoWatermarkCheck,
  kProducersForgotten,
  kTrimBeforeConfirmed,
  kStateOfAnotherFork,
};

struct NamedPairMutant {
  PairMutant mutant;
  std::string_view name;
  std::string_view profile;  ///< under which it is looked for
};

inline constexpr std::array<NamedPairMutant, 26> kPairMutants = {{
    {PairMutant::kNone, "none", "mixed"},
    {PairMutant::kNoSyncCheck, "no_sync_check", "partition"},
    {PairMutant::kAckOfLength, "ack_of_length", "rejoin"},
    {PairMutant::kAckOfAnyEpoch, "ack_of_any_epoch", "reorder"},
    {PairMutant::kAckOfAnyJournal, "ack_of_any_journal", "replaced"},
    {PairMutant::kSoloBeforeConfirmed, "solo_before_confirmed", "arbiter"},
    {PairMutant::kFlagBeforeAcks, "flag_before_acks", "arbiter"},
    {PairMutant::kNoCheckOfAcks, "no_check_of_acks", "rejoin"},
    {PairMutant::kUnknownAsFailure, "unknown_as_failure", "arbiter"},
    {PairMutant::kCommittedFromZero, "committed_from_zero", "rejoin"},
    {PairMutant::kReusedEpoch, "reused_epoch", "power"},
    {PairMutant::kNoTruncation, "no_truncation", "rejoin"},
    {PairMutant::kCommitUnsynced, "commit_unsynced", "power"},
    {PairMutant::kNoNewIdForSnapshot, "no_new_id_for_snapshot", "replaced"},
    {PairMutant::kStaleWelcome, "stale_welcome", "reorder"},
    {PairMutant::kAsksUnsynced, "asks_unsynced", "unsynced"},
    {PairMutant::kDivergenceNotChecked, "divergence_not_checked", "diverging"},
    {PairMutant::kNoNewIdForPower, "no_new_id_for_power", "unsynced"},
    {PairMutant::kNamesForJournals, "names_for_journals", "replaced"},
    {PairMutant::kOutputAtTail, "output_at_tail", "rejoin"},
    {PairMutant::kOutputUncommitted, "output_uncommitted", "partition"},
    {PairMutant::kWatermarkEarly, "watermark_early", "rejoin"},
    {PairMutant::kNoWatermarkCheck, "no_watermark_check", "reorder"},
    {PairMutant::kProducersForgotten, "producers_forgotten", "rejoin"},
    {PairMutant::kTrimBeforeConfirmed, "trim_before_confirmed", "power"},
    {PairMutant::kStateOfAnotherFork, "state_of_another_fork", "force"},
}};

inline std::optional<NamedPairMutant> find_pair_mutant(std::string_view name) {
  for (const NamedPairMutant& one : kPairMutants) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

}  // namespace pollux
