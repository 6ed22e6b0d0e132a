// The guards of the pair protocol's steps, each by itself and named by its step: what safety rests
// on. None of them reads a clock. They are virtual so that the simulation can put a known-wrong
// one in place of each, and show that it would notice. Thread: any.
#pragma once

#include "engine/types/ids.h"
#include "ha/arbiter/arbiter_record.h"
#include "ha/pair/messages.h"

namespace pollux {

/// What a node knows of itself.
struct OwnState {
  JournalId journal;
  bool leads = false;
  Epoch epoch;   ///< followed or led
  Epoch led;     ///< the highest that it led, lasting
  EntryId tail;  ///< of its journal
  Position durable;
  bool unsynced = false;  ///< acks or commits may rest on bytes that are not synced
};

/// What an active knows of whether it may commit alone.
struct LeadState {
  ArbiterRecord view;
  bool pairing_sent = false;    ///< a request to set in_sync on the view's version may be in flight
  bool acks_required = false;   ///< acks are required before that request is sent
  bool solo_requested = false;  ///< a request to run alone may be in flight
  JournalId target;             ///< whose acks count; not set: nobody's
  Position acked;
  Position committed;
  Position began_with;  ///< R3: what the journal held when the lead began; it is committed
};

class PairRules {
 public:
  virtual ~PairRules() = default;

  /// R2: may this follower ask to lead?
  virtual bool may_ask_to_lead(const ArbiterRecord& view, const OwnState& own) const;
  /// R3: does the record say that this follower leads now?
  virtual bool takes_lead(const ArbiterRecord& view, const OwnState& own) const;
  /// R5: are frames of that epoch from one that leads, as far as this node knows?
  virtual bool takes_epoch(Epoch epoch, const OwnState& own) const;
  /// R5: is this the answer to the question that was asked last?
  virtual bool takes_welcome(const SessionNonce& asked, const SessionNonce& answered) const {
    return asked == answered;
  }
  /// R5: the position to acknowledge.
  virtual Position position_to_ack(Position matched, EntryId) const { return matched; }
  /// R5: what the journal has behind the point where it matches is cut off.
  virtual bool cuts_at_welcome() const { return true; }
  /// R5: an entry that stands where another one belongs is cut off, and all behind it.
  virtual bool cuts_at_entry() const { return true; }
  /// R6: does this ack count, or is it of somebody else?
  virtual bool ack_is_of_epoch(const Ack& ack, const OwnState& own) const {
    return ack.epoch == own.epoch;
  }
  virtual bool ack_is_of_target(const Ack& ack, const LeadState& lead) const {
    return ack.journal == lead.target;
  }
  /// May this active commit without acks?
  virtual bool solo_ok(const LeadState& lead, const OwnState& own) const;
  /// R7: what an active may commit up to.
  Position commit_limit(const LeadState& lead, const OwnState& own) const;
  /// R2, R11: who asks to lead, or to run alone, vouches for what it holds: it lasts before, and
  /// whatever comes while the request may be in flight lasts too.
  virtual bool lasts_before_asking() const { return true; }
  /// R8: may this follower drop its journal for a snapshot?
  virtual bool may_install(bool unnamed_since_start) const { return unnamed_since_start; }
  /// R8: a journal that begins with a snapshot goes by another id.
  virtual bool takes_new_id() const { return true; }
  /// R10: do the target's acks reach everything committed?
  virtual bool acks_reach_committed(const LeadState& lead) const {
    return lead.acked >= lead.committed;
  }
  /// R10: does a request that was answered by an error still count as sent?
  virtual bool unknown_counts_as_sent() const { return true; }
  /// Of a plan at one position, here and at the follower: is it the same?
  virtual bool hashes_agree(uint64_t ours, uint64_t theirs) const { return ours == theirs; }
  /// R12: may this record take the place of the view?
  virtual bool replaces(const ArbiterRecord& record, const ArbiterRecord& view) const {
    return record.version >= view.version;
  }
};

}  // namespace pollux
