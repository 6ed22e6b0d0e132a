#include "ha/divergence/divergence_check.h"

#include <algorithm>

namespace pollux {

void DivergenceCheck::note_follower(const JournalId& journal, const PlanHash& hash) {
  if (journal != follower_journal_) follower_.clear();
  follower_journal_ = journal;
  follower_.note(hash);
}

std::optional<Divergence> DivergenceCheck::judge(const PlanHash& like, const PairRules& rules) {
  std::optional<uint64_t> ours = own_.find(like);
  std::optional<uint64_t> theirs = follower_.find(like);
  if (!ours || !theirs || rules.hashes_agree(*ours, *theirs)) return std::nullopt;
  if (known_.size() >= kPlansMax && !known_.contains(like.plan)) known_.erase(known_.begin());
  Known& known = known_[like.plan];
  if (known.last == follower_journal_) return std::nullopt;
  known.last = follower_journal_;
  ++known.times;
  return Divergence{
      {like.plan, like.kind, like.at, *ours}, *theirs, follower_journal_, known.times};
}

Standing DivergenceCheck::standing(const JournalId& journal) const {
  Standing worst = Standing::kGood;
  for (const auto& [plan, known] : known_) {
    if (known.last != journal) continue;
    worst = std::max(worst, known.times < kTimesMax ? Standing::kNeedsACopy : Standing::kBarred);
  }
  return worst;
}

void DivergenceCheck::plan_changed(std::string_view plan) {
  auto known = known_.find(plan);
  // What else it had from then on is not known: one copy sets it right.
  if (known != known_.end()) known->second.times = std::min(known->second.times, kTimesMax - 1);
}

}  // namespace pollux
