// Journeys of ordinary users: where each is at any time of the run.
//
// Who travels does not sign in on the way, and the way takes as long as a flight does: ordinary
// traffic never shows one user in two countries at once. Thread: built by one, read by any.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "server/tool/generate/options.h"
#include "server/tool/generate/population.h"

namespace pollux::traffic {

class Trips {
 public:
  Trips(const TrafficOptions& options, const Population& population);

  bool travels(UserIndex user) const { return trips_.contains(static_cast<uint32_t>(user)); }

  /// The country in which the user could sign in; none while on the way.
  std::optional<CountryIndex> country_at(UserIndex user, int64_t time_ms) const;

 private:
  struct Trip {
    CountryIndex home;
    CountryIndex abroad;
    int64_t leaves_ms;
    int64_t arrives_ms;
    int64_t returns_ms;
    int64_t back_ms;
  };
  const Population& population_;
  std::unordered_map<uint32_t, Trip> trips_;  ///< by user; looked up, never iterated
};

}  // namespace pollux::traffic
