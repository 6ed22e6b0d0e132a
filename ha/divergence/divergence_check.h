// Whether the plans of both nodes are where they ought to be: equal positions have equal states and
// equal results. Held by each node; whoever leads judges, and is taken to be right.
//
// A follower whose plan differs is to get a copy of everything. One whose plan differs once more
// behind that gets none, since copies do not help: it follows, and may not be asked to lead, until
// the plan is deployed anew or removed, or the node that leads was started again. Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/base/random_id.h"
#include "ha/divergence/hash_book.h"
#include "ha/divergence/plan_hash.h"
#include "ha/pair/pair_rules.h"

namespace pollux {

/// A plan of the follower is another than this node's.
struct Divergence {
  PlanHash ours;
  uint64_t theirs = 0;
  JournalId journal;   ///< of the follower
  uint32_t times = 0;  ///< that this plan was found to be another, in journals of the follower
};

/// What a follower is good for.
enum class Standing : uint8_t {
  kGood,        ///< as far as is known
  kNeedsACopy,  ///< of everything
  kBarred,      ///< copies do not help: it follows, and must not be the passive
};

class DivergenceCheck {
 public:
  /// Behind so many divergences of a plan no copy is made any more.
  static constexpr uint32_t kTimesMax = 2;
  /// Plans that are remembered as having differed. With more, each counts as one that differs for
  /// the first time.
  static constexpr size_t kPlansMax = 1024;

  /// This node's own, leading or not.
  void note_own(const PlanHash& hash) { own_.note(hash); }
  /// Of a follower that goes by that journal. Those of another one before it are forgotten.
  void note_follower(const JournalId& journal, const PlanHash& hash);
  /// On a node that leads: whether the follower's, if both are there, is another. Each plan is told
  /// once a journal.
  std::optional<Divergence> judge(const PlanHash& like, const PairRules& rules);

  Standing standing(const JournalId& journal) const;
  /// The plan is deployed anew, or gone: a follower that was barred for it may have a copy.
  void plan_changed(std::string_view plan);
  /// This node's plans are replaced by those of the other.
  void clear_own() { own_.clear(); }
  /// To be told to whoever leads.
  std::vector<PlanHash> newest_own() const { return own_.newest(); }

 private:
  struct Known {
    uint32_t times = 0;
    JournalId last;
  };

  HashBook own_;
  HashBook follower_;
  JournalId follower_journal_;
  std::map<std::string, Known, std::less<>> known_;
};

}  // namespace pollux
