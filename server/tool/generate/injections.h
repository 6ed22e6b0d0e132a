// Attacks put into the traffic, and for each of them five near-misses: incidents that look like it
// and must not raise an alert.
//
// Each injection has users, addresses and quiet times of its own, so that no two of them, and no
// ordinary traffic, add up to something else. What was put in is the truth that alerts are judged
// by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tool/generate/auth_event.h"
#include "server/tool/generate/options.h"
#include "server/tool/generate/population.h"
#include "server/tool/generate/trips.h"

namespace pollux::traffic {

enum class InjectionKind : uint8_t {
  kSuspiciousLogin,   ///< at least five failures, then a success, within a minute
  kPasswordSpraying,  ///< one address tries many users once or twice
  kBruteForce,        ///< many failures on one user in a few minutes, no success
  kNewCountry,        ///< a login from another country too soon after one at home
  // Near-misses from here on.
  kFourFailures,      ///< four failures and a success
  kLateFifthFailure,  ///< the fifth failure comes 61 s after the first
  kTwoTenants,        ///< one name in two tenants, the failures split between them
  kBusyNat,           ///< many users behind one address; some fail, most succeed
  kTraveller,         ///< another country after a plausible flight
};

constexpr InjectionKind kAttackKinds[] = {InjectionKind::kSuspiciousLogin,
                                          InjectionKind::kPasswordSpraying,
                                          InjectionKind::kBruteForce, InjectionKind::kNewCountry};
constexpr InjectionKind kNearMissKinds[] = {
    InjectionKind::kFourFailures, InjectionKind::kLateFifthFailure, InjectionKind::kTwoTenants,
    InjectionKind::kBusyNat, InjectionKind::kTraveller};

std::string_view name_of(InjectionKind kind);

struct Injection {
  std::string id;  ///< "attack-0001", "near-miss-0001"
  InjectionKind kind{};
  bool attack = false;
  std::string_view imitates;      ///< near-misses: the kind of alert that it must not raise
  std::string near;               ///< near-misses: the attack that it was made for
  std::vector<AuthEvent> events;  ///< in order of time
};

/// Times in which the ordinary traffic leaves a user alone.
struct QuietTime {
  int64_t from_ms;
  int64_t to_ms;
};

struct Injections {
  std::vector<Injection> list;
  std::unordered_map<uint32_t, QuietTime> quiet;  ///< by user; looked up, never iterated

  bool quiet_at(UserIndex user, int64_t time_ms) const;
};

/// Plans every injection of the run. Fails with InvalidArgument when there are too few users to
/// give each injection its own.
absl::StatusOr<Injections> plan_injections(const TrafficOptions& options,
                                           const Population& population, const Trips& trips);

}  // namespace pollux::traffic
