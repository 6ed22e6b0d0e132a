// The guards of the protocol with one of them wrong. Thread: any.
#pragma once

#include <algorithm>

#include "ha/pair/pair_rules.h"
#include "tests/ha/sim/mutant.h"

namespace pollux {

class MutantRules : public PairRules {
 public:
  explicit MutantRules(PairMutant mutant) : mutant_(mutant) {}

  bool may_ask_to_lead(const ArbiterRecord& view, const OwnState& own) const override {
    bool any = mutant_ == PairMutant::kNoSyncCheck && !own.leads && view.exists();
    return any || PairRules::may_ask_to_lead(view, own);
  }
  bool takes_lead(const ArbiterRecord& view, const OwnState& own) const override {
    OwnState seen = own;
    if (mutant_ == PairMutant::kReusedEpoch && own.led == view.epoch) --seen.led.value;
    return PairRules::takes_lead(view, seen);
  }
  bool takes_welcome(const SessionNonce& asked, const SessionNonce& answered) const override {
    return mutant_ == PairMutant::kStaleWelcome || PairRules::takes_welcome(asked, answered);
  }
  Position position_to_ack(Position matched, EntryId tail) const override {
    return mutant_ == PairMutant::kAckOfLength ? tail.position : matched;
  }
  bool cuts_at_welcome() const override {
    return mutant_ != PairMutant::kNoTruncation && mutant_ != PairMutant::kAckOfLength;
  }
  bool cuts_at_entry() const override { return mutant_ != PairMutant::kNoTruncation; }
  bool ack_is_of_epoch(const Ack& ack, const OwnState& own) const override {
    return mutant_ == PairMutant::kAckOfAnyEpoch || PairRules::ack_is_of_epoch(ack, own);
  }
  bool ack_is_of_target(const Ack& ack, const LeadState& lead) const override {
    return mutant_ == PairMutant::kAckOfAnyJournal || PairRules::ack_is_of_target(ack, lead);
  }
  bool solo_ok(const LeadState& lead, const OwnState& own) const override {
    LeadState seen = lead;
    if (mutant_ == PairMutant::kSoloBeforeConfirmed && lead.solo_requested) {
      seen.view.in_sync.reset();
      seen.pairing_sent = false;
    }
    if (mutant_ == PairMutant::kFlagBeforeAcks) seen.pairing_sent = seen.acks_required = false;
    return PairRules::solo_ok(seen, own);
  }
  bool lasts_before_asking() const override { return mutant_ != PairMutant::kAsksUnsynced; }
  bool takes_new_id() const override { return mutant_ != PairMutant::kNoNewIdForSnapshot; }
  bool acks_reach_committed(const LeadState& lead) const override {
    // What a lead began with is committed, but this one does not count it.
    bool nothing_yet = lead.committed == lead.began_with;
    if (mutant_ == PairMutant::kCommittedFromZero && nothing_yet) return true;
    return mutant_ == PairMutant::kNoCheckOfAcks || PairRules::acks_reach_committed(lead);
  }
  bool hashes_agree(uint64_t ours, uint64_t theirs) const override {
    return mutant_ == PairMutant::kDivergenceNotChecked || PairRules::hashes_agree(ours, theirs);
  }
  bool unknown_counts_as_sent() const override { return mutant_ != PairMutant::kUnknownAsFailure; }

 private:
  const PairMutant mutant_;
};

}  // namespace pollux
