#include "ha/divergence/hash_book.h"

#include <algorithm>

namespace pollux {

void HashBook::note(const PlanHash& hash) {
  auto place = places_.find({hash.plan, hash.kind});
  if (place == places_.end()) {
    if (places_.size() >= kPlacesMax) return;
    place = places_.try_emplace({hash.plan, hash.kind}).first;
  }
  Kept& kept = place->second;
  if (!kept.empty() && hash.at <= kept.back().first) return;
  kept.emplace_back(hash.at, hash.hash);
  if (kept.size() > kKeptMax) kept.pop_front();
}

std::optional<uint64_t> HashBook::find(const PlanHash& like) const {
  auto place = places_.find({like.plan, like.kind});
  if (place == places_.end()) return std::nullopt;
  const Kept& kept = place->second;
  auto at =
      std::lower_bound(kept.begin(), kept.end(), like.at,
                       [](const auto& one, Position position) { return one.first < position; });
  if (at == kept.end() || at->first != like.at) return std::nullopt;
  return at->second;
}

std::vector<PlanHash> HashBook::newest() const {
  std::vector<PlanHash> all;
  for (const auto& [place, kept] : places_) {
    all.push_back({place.first, place.second, kept.back().first, kept.back().second});
  }
  return all;
}

}  // namespace pollux
