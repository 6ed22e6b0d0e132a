// The last hashes of each plan of one node. Bounded: of each plan and kind the newest, and as many
// plans as a node runs. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ha/divergence/plan_hash.h"

namespace pollux {

class HashBook {
 public:
  /// Of one plan and kind: the other node may be behind by so many.
  static constexpr size_t kKeptMax = 64;
  /// Of plans and kinds; what is beyond is not compared.
  static constexpr size_t kPlacesMax = 8192;

  /// What does not come behind those that are there is passed over.
  void note(const PlanHash& hash);
  std::optional<uint64_t> find(const PlanHash& like) const;
  /// Of each plan and kind the last.
  std::vector<PlanHash> newest() const;
  void clear() { places_.clear(); }

 private:
  using Place = std::pair<std::string, HashKind>;
  using Kept = std::deque<std::pair<Position, uint64_t>>;

  std::map<Place, Kept> places_;
};

}  // namespace pollux
