#include "server/tool/generate/injections.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "engine/base/check.h"
#include "server/tool/generate/cast.h"

namespace pollux::traffic {
namespace {

/// Injected events and logins are numbered from here; the ordinary ones stay below.
constexpr uint64_t kFirstNumber = uint64_t{1} << 48;
constexpr int64_t kQuietMs = 20 * kMinuteMs;
constexpr int64_t kLeadInMs = 30 * kMinuteMs;  ///< nothing is injected so soon after the start
// How long an injection may last, with a margin before the end of the run.
constexpr int64_t kShortMs = 30 * kMinuteMs;
constexpr int64_t kNewCountryMs = 3 * kHourMs;
constexpr int64_t kJourneyMs = 15 * kHourMs;
static_assert(kLeadInMs + kJourneyMs < kDurationWithAttacksMinMs);

class Planner {
 public:
  Planner(const TrafficOptions& options, const Population& population, const Trips& trips)
      : options_(options),
        population_(population),
        random_(options.seed, Purpose::kInjections),
        cast_(population, trips, random_) {}

  /// False when there were not enough users.
  bool plan_all();
  Injections take() { return std::move(planned_); }

 private:
  bool plan(Injection& injection);
  void finish(Injection injection);

  bool suspicious_login(Injection& to);
  bool password_spraying(Injection& to);
  bool brute_force(Injection& to);
  bool new_country(Injection& to);
  bool four_failures(Injection& to);
  bool late_fifth_failure(Injection& to);
  bool two_tenants(Injection& to);
  bool busy_nat(Injection& to);
  bool traveller(Injection& to);

  /// From where a login of an injection comes.
  struct Origin {
    UserIndex user;
    Address address;
    CountryIndex country;
  };
  Origin at_home(UserIndex user) const {
    return {user, population_.user(user).home, population_.user(user).country};
  }
  Origin from(UserIndex user, Address address, CountryIndex country) const {
    return {user, address, country};
  }
  void fail(Injection& to, const Origin& origin, int64_t time_ms);
  void succeed(Injection& to, const Origin& origin, int64_t time_ms);
  AuthEvent event(const Origin& origin, int64_t time_ms);

  int64_t any_start(int64_t lasts_ms = kShortMs) {
    return options_.start_ms + kLeadInMs +
           random_.between(0, options_.duration_ms - kLeadInMs - lasts_ms);
  }
  int64_t seconds(int64_t low, int64_t high) {
    return random_.between(low * kSecondMs, high * kSecondMs);
  }
  CountryIndex country() { return CountryIndex(random_.below(countries().size())); }
  CountryIndex country_other_than(CountryIndex home) {
    auto steps = 1 + random_.below(countries().size() - 1);
    return CountryIndex((static_cast<size_t>(home) + steps) % countries().size());
  }
  Address next_attacker() { return attacker_address(attackers_++ % kAttackerAddresses); }

  const TrafficOptions& options_;
  const Population& population_;
  Random random_;
  Cast cast_;
  Injections planned_;
  uint64_t next_number_ = kFirstNumber;
  uint64_t next_context_ = kFirstNumber;
  uint32_t attackers_ = 1;
  uint32_t venues_ = 0;
  uint32_t attacks_ = 0;
  uint32_t near_misses_ = 0;
  ServiceIndex service_{};  ///< what the injection being planned signs in to
};

std::string numbered(const char* what, uint32_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%s-%04u", what, number);
  return text;
}

AuthEvent Planner::event(const Origin& origin, int64_t time_ms) {
  AuthEvent made;
  made.time_ms = time_ms;
  made.number = EventNumber{next_number_++};
  made.context = ContextNumber{next_context_};
  made.user = origin.user;
  made.address = origin.address;
  made.country = origin.country;
  made.service = service_;
  return made;
}

void Planner::fail(Injection& to, const Origin& origin, int64_t time_ms) {
  to.events.push_back(event(origin, time_ms));
  ++next_context_;
}

void Planner::succeed(Injection& to, const Origin& origin, int64_t time_ms) {
  AuthEvent step = event(origin, time_ms);
  step.success = true;
  to.events.push_back(step);
  AuthEvent overall = event(origin, time_ms + random_.between(3, 30));
  overall.kind = EventKind::kOverall;
  overall.success = true;
  overall.first_login = true;
  to.events.push_back(overall);
  ++next_context_;
}

bool Planner::suspicious_login(Injection& to) {
  auto victim = cast_.take();
  if (!victim) return false;
  // The attacker sits in the victim's country: elsewhere the success would rightly be a login from
  // a new country too.
  Origin attacker = from(*victim, next_attacker(), population_.user(*victim).country);
  int64_t time = any_start();
  int64_t failures = random_.between(5, 8);
  for (int64_t i = 0; i < failures; ++i, time += seconds(2, 6)) fail(to, attacker, time);
  succeed(to, attacker, time + seconds(1, 5));
  return true;
}

bool Planner::password_spraying(Injection& to) {
  auto victims = cast_.take_of_one_tenant(static_cast<uint32_t>(random_.between(15, 40)));
  if (!victims) return false;
  Address address = next_attacker();
  CountryIndex country = this->country();
  int64_t time = any_start();
  for (UserIndex victim : *victims) {
    fail(to, from(victim, address, country), time);
    time += seconds(1, 6);
  }
  return true;
}

bool Planner::brute_force(Injection& to) {
  auto victim = cast_.take();
  if (!victim) return false;
  std::vector<Origin> attackers;
  for (int64_t i = random_.between(1, 5); i > 0; --i) {
    attackers.push_back(from(*victim, next_attacker(), country()));
  }
  int64_t time = any_start();
  int64_t failures = random_.between(12, 30);
  for (int64_t i = 0; i < failures; ++i, time += seconds(2, 9)) {
    fail(to, attackers[random_.below(attackers.size())], time);
  }
  return true;
}

bool Planner::new_country(Injection& to) {
  auto victim = cast_.take();
  if (!victim) return false;
  Origin home = at_home(*victim);
  int64_t time = any_start(kNewCountryMs);
  succeed(to, home, time);
  time += seconds(5 * 60, 50 * 60);
  succeed(to, from(*victim, next_attacker(), country_other_than(home.country)), time);
  // Often the user goes on at home, unaware: still one incident.
  if (random_.percent(50)) succeed(to, home, time + seconds(10 * 60, 60 * 60));
  return true;
}

bool Planner::four_failures(Injection& to) {
  auto user = cast_.take();
  if (!user) return false;
  int64_t time = any_start();
  for (int i = 0; i < 4; ++i, time += seconds(2, 6)) fail(to, at_home(*user), time);
  succeed(to, at_home(*user), time);
  return true;
}

bool Planner::late_fifth_failure(Injection& to) {
  auto user = cast_.take();
  if (!user) return false;
  int64_t first = any_start();
  int64_t time = first;
  for (int i = 0; i < 4; ++i, time += seconds(2, 6)) fail(to, at_home(*user), time);
  fail(to, at_home(*user), first + 61 * kSecondMs);
  succeed(to, at_home(*user), first + 61 * kSecondMs + seconds(1, 5));
  return true;
}

bool Planner::two_tenants(Injection& to) {
  auto namesakes = cast_.take_namesakes();
  if (!namesakes) return false;
  auto [one, other] = *namesakes;
  Address address = next_attacker();
  CountryIndex country = population_.user(one).country;
  bool brute_force = to.imitates == name_of(InjectionKind::kBruteForce);
  int64_t time = any_start();
  for (int i = 0; i < (brute_force ? 7 : 3); ++i) {
    fail(to, from(one, address, country), time);
    time += seconds(2, 4);
    fail(to, from(other, address, country), time);
    time += seconds(2, 4);
  }
  if (!brute_force) succeed(to, from(one, address, country), time);
  return true;
}

bool Planner::busy_nat(Injection& to) {
  auto guests = cast_.take_neighbours(static_cast<uint32_t>(random_.between(48, 60)));
  if (!guests) return false;
  POLLUX_CHECK(venues_ < kVenueAddresses);
  CountryIndex country = population_.user(guests->front()).country;
  Address address = venue_address(country, venues_++);
  int64_t time = any_start();
  for (size_t i = 0; i < guests->size(); ++i, time += seconds(1, 4)) {
    Origin guest = from((*guests)[i], address, country);
    bool mistypes = i % 4 == 3;  // so that successes always outnumber the failures before them
    if (mistypes) fail(to, guest, time);
    succeed(to, guest, mistypes ? time + seconds(4, 9) : time);
  }
  return true;
}

bool Planner::traveller(Injection& to) {
  auto user = cast_.take();
  if (!user) return false;
  Origin home = at_home(*user);
  CountryIndex abroad = country_other_than(home.country);
  Address hotel = shared_address(abroad, static_cast<uint32_t>(random_.below(kSharedAddresses)));
  int64_t time = any_start(kJourneyMs);
  succeed(to, home, time);
  time += journey_ms(home.country, abroad) + seconds(0, 60 * 60);
  succeed(to, from(*user, hotel, abroad), time);
  succeed(to, from(*user, hotel, abroad), time + seconds(20 * 60, 60 * 60));
  return true;
}

bool Planner::plan(Injection& injection) {
  do {
    service_ = ServiceIndex(random_.below(service_providers().size()));
  } while (get(service_).second_factor);
  switch (injection.kind) {
    case InjectionKind::kSuspiciousLogin:
      return suspicious_login(injection);
    case InjectionKind::kPasswordSpraying:
      return password_spraying(injection);
    case InjectionKind::kBruteForce:
      return brute_force(injection);
    case InjectionKind::kNewCountry:
      return new_country(injection);
    case InjectionKind::kFourFailures:
      return four_failures(injection);
    case InjectionKind::kLateFifthFailure:
      return late_fifth_failure(injection);
    case InjectionKind::kTwoTenants:
      return two_tenants(injection);
    case InjectionKind::kBusyNat:
      return busy_nat(injection);
    case InjectionKind::kTraveller:
      return traveller(injection);
  }
  POLLUX_CHECK(false);
}

void Planner::finish(Injection injection) {
  std::sort(injection.events.begin(), injection.events.end());
  int64_t from_ms = injection.events.front().time_ms - kQuietMs;
  for (const AuthEvent& event : injection.events) {
    // Who was last seen abroad needs the way home before the ordinary traffic goes on there.
    int64_t way_ms =
        event.success ? journey_ms(event.country, population_.user(event.user).country) : 0;
    QuietTime& quiet =
        planned_.quiet.try_emplace(static_cast<uint32_t>(event.user), QuietTime{from_ms, from_ms})
            .first->second;
    quiet.to_ms = event.time_ms + std::max(kQuietMs, way_ms);
  }
  int64_t to_ms = injection.events.back().time_ms + kQuietMs;
  for (const AuthEvent& event : injection.events) {
    QuietTime& quiet = planned_.quiet.at(static_cast<uint32_t>(event.user));
    quiet.to_ms = std::max(quiet.to_ms, to_ms);
  }
  planned_.list.push_back(std::move(injection));
}

std::string_view imitated_by(InjectionKind near_miss, InjectionKind attack) {
  switch (near_miss) {
    case InjectionKind::kBusyNat:
      return name_of(InjectionKind::kPasswordSpraying);
    case InjectionKind::kTraveller:
      return name_of(InjectionKind::kNewCountry);
    case InjectionKind::kTwoTenants:
      return name_of(attack == InjectionKind::kBruteForce ? attack
                                                          : InjectionKind::kSuspiciousLogin);
    default:
      return name_of(InjectionKind::kSuspiciousLogin);
  }
}

bool Planner::plan_all() {
  for (uint32_t round = 0; round < options_.attacks_per_kind; ++round) {
    for (InjectionKind kind : kAttackKinds) {
      Injection attack;
      attack.id = numbered("attack", ++attacks_);
      attack.kind = kind;
      attack.attack = true;
      std::string id = attack.id;
      if (!plan(attack)) return false;
      finish(std::move(attack));
      for (InjectionKind near_kind : kNearMissKinds) {
        Injection near;
        near.id = numbered("near-miss", ++near_misses_);
        near.kind = near_kind;
        near.imitates = imitated_by(near_kind, kind);
        near.near = id;
        if (!plan(near)) return false;
        finish(std::move(near));
      }
    }
  }
  return true;
}

}  // namespace

std::string_view name_of(InjectionKind kind) {
  switch (kind) {
    case InjectionKind::kSuspiciousLogin:
      return "suspicious-login";
    case InjectionKind::kPasswordSpraying:
      return "password-spraying";
    case InjectionKind::kBruteForce:
      return "brute-force";
    case InjectionKind::kNewCountry:
      return "new-country";
    case InjectionKind::kFourFailures:
      return "four-failures";
    case InjectionKind::kLateFifthFailure:
      return "late-fifth-failure";
    case InjectionKind::kTwoTenants:
      return "two-tenants";
    case InjectionKind::kBusyNat:
      return "busy-nat";
    case InjectionKind::kTraveller:
      return "traveller";
  }
  POLLUX_CHECK(false);
}

bool Injections::quiet_at(UserIndex user, int64_t time_ms) const {
  auto found = quiet.find(static_cast<uint32_t>(user));
  return found != quiet.end() && time_ms >= found->second.from_ms && time_ms <= found->second.to_ms;
}

absl::StatusOr<Injections> plan_injections(const TrafficOptions& options,
                                           const Population& population, const Trips& trips) {
  if (options.attacks_per_kind == 0) return Injections{};
  Planner planner(options, population, trips);
  if (!planner.plan_all()) {
    return absl::InvalidArgumentError(
        "too few users to give each attack and near-miss its own; raise --users (about 1000 for "
        "each attack per kind, and at least 5000) or lower --attacks");
  }
  return planner.take();
}

}  // namespace pollux::traffic
