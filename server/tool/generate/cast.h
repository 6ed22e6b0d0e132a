// Who plays in injections: hands out each suitable user at most once.
//
// Suitable are ordinary people of the less active part of the population who sign in locally, from
// an address of their own, and do not travel in this run. Thread: one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/tool/generate/population.h"
#include "server/tool/generate/random.h"
#include "server/tool/generate/trips.h"

namespace pollux::traffic {

class Cast {
 public:
  Cast(const Population& population, const Trips& trips, Random& random);

  /// Any user; none when all are taken.
  std::optional<UserIndex> take();
  /// `count` users of one tenant; none when no tenant has as many left.
  std::optional<std::vector<UserIndex>> take_of_one_tenant(uint32_t count);
  /// `count` users of one tenant who live in one country.
  std::optional<std::vector<UserIndex>> take_neighbours(uint32_t count);
  /// Two users of equal name and store in two tenants.
  std::optional<std::pair<UserIndex, UserIndex>> take_namesakes();

 private:
  using Group = uint32_t;  ///< tenant and country
  Group group_of(UserIndex user) const;
  void mark(UserIndex user);
  bool taken(UserIndex user) const { return taken_[static_cast<size_t>(user)]; }
  template <class Suits>
  std::vector<UserIndex> take_where(uint32_t count, Suits suits);

  const Population& population_;
  Random& random_;
  std::vector<UserIndex> shuffled_;
  size_t next_ = 0;  ///< all before it are taken
  size_t next_namesake_ = 0;
  std::vector<bool> taken_;
  std::vector<uint32_t> left_in_group_;
  std::unordered_map<uint32_t, std::vector<UserIndex>> by_name_;  ///< looked up, never iterated
};

}  // namespace pollux::traffic
