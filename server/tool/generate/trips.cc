#include "server/tool/generate/trips.h"

#include "server/tool/generate/random.h"

namespace pollux::traffic {
namespace {

constexpr uint32_t kTravellersPercent = 2;

}  // namespace

Trips::Trips(const TrafficOptions& options, const Population& population)
    : population_(population) {
  Random random(options.seed, Purpose::kTrips);
  for (uint32_t rank = 0; rank < population.size(); ++rank) {
    const User& user = population.user(UserIndex{rank});
    if (user.service_account || !random.percent(kTravellersPercent)) continue;
    Trip trip{};
    trip.home = user.country;
    auto steps = 1 + random.below(countries().size() - 1);
    trip.abroad = CountryIndex((static_cast<size_t>(trip.home) + steps) % countries().size());
    int64_t way_ms = journey_ms(trip.home, trip.abroad);
    // Some left before the run began, some come back after it ends.
    trip.leaves_ms = random.between(options.start_ms - kDayMs, options.end_ms());
    trip.arrives_ms = trip.leaves_ms + way_ms + random.between(0, 2 * kHourMs);
    trip.returns_ms = trip.arrives_ms + random.between(6 * kHourMs, 48 * kHourMs);
    trip.back_ms = trip.returns_ms + way_ms + random.between(0, 2 * kHourMs);
    trips_.emplace(rank, trip);
  }
}

std::optional<CountryIndex> Trips::country_at(UserIndex user, int64_t time_ms) const {
  auto found = trips_.find(static_cast<uint32_t>(user));
  if (found == trips_.end()) return population_.user(user).country;
  const Trip& trip = found->second;
  if (time_ms < trip.leaves_ms || time_ms >= trip.back_ms) return trip.home;
  if (time_ms >= trip.arrives_ms && time_ms < trip.returns_ms) return trip.abroad;
  return std::nullopt;
}

}  // namespace pollux::traffic
