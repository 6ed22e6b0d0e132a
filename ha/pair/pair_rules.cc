#include "ha/pair/pair_rules.h"

#include <algorithm>

namespace pollux {

bool PairRules::may_ask_to_lead(const ArbiterRecord& view, const OwnState& own) const {
  if (own.leads || !view.exists() || own.unsynced) return false;
  bool passive = view.in_sync == own.journal;
  bool restarted = view.active == own.journal && own.led >= view.epoch;
  return passive || restarted;
}

bool PairRules::takes_lead(const ArbiterRecord& view, const OwnState& own) const {
  return !own.leads && view.exists() && view.active == own.journal && !view.in_sync &&
         own.led < view.epoch && own.epoch < view.epoch && own.tail.epoch <= view.epoch;
}

bool PairRules::takes_epoch(Epoch epoch, const OwnState& own) const {
  return epoch >= own.epoch && epoch > own.led && epoch >= own.tail.epoch;
}

bool PairRules::solo_ok(const LeadState& lead, const OwnState& own) const {
  return own.leads && lead.view.epoch == own.epoch && lead.view.active == own.journal &&
         !lead.view.in_sync && !lead.pairing_sent && !lead.acks_required;
}

Position PairRules::commit_limit(const LeadState& lead, const OwnState& own) const {
  if (solo_ok(lead, own)) return own.durable;
  if (!lead.target.is_set()) return {};
  return std::min(own.durable, lead.acked);
}

}  // namespace pollux
