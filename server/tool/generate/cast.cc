#include "server/tool/generate/cast.h"

#include <algorithm>

#include "engine/base/check.h"

namespace pollux::traffic {

Cast::Cast(const Population& population, const Trips& trips, Random& random)
    : population_(population), random_(random), taken_(population.size(), false) {
  left_in_group_.resize(tenants().size() * countries().size());
  for (uint32_t rank = population.size() * 3 / 10; rank < population.size(); ++rank) {
    UserIndex index{rank};
    const User& user = population.user(index);
    if (user.service_account || user.federated() || trips.travels(index)) continue;
    shuffled_.push_back(index);
    ++left_in_group_[group_of(index)];
    by_name_[user.name_number].push_back(index);
  }
  for (size_t i = shuffled_.size(); i > 1; --i) {
    std::swap(shuffled_[i - 1], shuffled_[random.below(i)]);
  }
}

Cast::Group Cast::group_of(UserIndex user) const {
  const User& who = population_.user(user);
  return static_cast<Group>(static_cast<size_t>(who.tenant) * countries().size() +
                            static_cast<size_t>(who.country));
}

void Cast::mark(UserIndex user) {
  POLLUX_CHECK(!taken(user));
  taken_[static_cast<size_t>(user)] = true;
  --left_in_group_[group_of(user)];
}

std::optional<UserIndex> Cast::take() {
  while (next_ < shuffled_.size() && taken(shuffled_[next_])) ++next_;
  if (next_ == shuffled_.size()) return std::nullopt;
  mark(shuffled_[next_]);
  return shuffled_[next_];
}

template <class Suits>
std::vector<UserIndex> Cast::take_where(uint32_t count, Suits suits) {
  std::vector<UserIndex> found;
  for (size_t i = next_; i < shuffled_.size() && found.size() < count; ++i) {
    if (taken(shuffled_[i]) || !suits(group_of(shuffled_[i]))) continue;
    mark(shuffled_[i]);
    found.push_back(shuffled_[i]);
  }
  POLLUX_CHECK(found.size() == count);
  return found;
}

std::optional<std::vector<UserIndex>> Cast::take_of_one_tenant(uint32_t count) {
  size_t first = random_.below(tenants().size());
  for (size_t i = 0; i < tenants().size(); ++i) {
    size_t tenant = (first + i) % tenants().size();
    uint32_t left = 0;
    for (size_t c = 0; c < countries().size(); ++c) {
      left += left_in_group_[tenant * countries().size() + c];
    }
    if (left < count) continue;
    return take_where(count, [&](Group g) { return g / countries().size() == tenant; });
  }
  return std::nullopt;
}

std::optional<std::vector<UserIndex>> Cast::take_neighbours(uint32_t count) {
  size_t first = random_.below(left_in_group_.size());
  for (size_t i = 0; i < left_in_group_.size(); ++i) {
    size_t group = (first + i) % left_in_group_.size();
    if (left_in_group_[group] < count) continue;
    return take_where(count, [&](Group g) { return g == group; });
  }
  return std::nullopt;
}

std::optional<std::pair<UserIndex, UserIndex>> Cast::take_namesakes() {
  for (; next_namesake_ < shuffled_.size(); ++next_namesake_) {
    UserIndex one = shuffled_[next_namesake_];
    if (taken(one)) continue;
    const User& who = population_.user(one);
    for (UserIndex other : by_name_[who.name_number]) {
      if (taken(other) || population_.user(other).tenant == who.tenant) continue;
      mark(one);
      mark(other);
      return std::pair(one, other);
    }
  }
  return std::nullopt;
}

}  // namespace pollux::traffic
