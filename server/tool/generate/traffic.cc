#include "server/tool/generate/traffic.h"

#include <algorithm>

#include "engine/base/check.h"

namespace pollux::traffic {
namespace {

constexpr int64_t kMinutesPerDay = 24 * 60;
constexpr uint32_t kTypoPercent = 7;
constexpr uint32_t kReusedSessionPercent = 40;
/// A minute in which so many users in a row cannot sign in is left as it is.
constexpr int kPicksMax = 1000;

int64_t floor_to(int64_t value, int64_t unit) {
  int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

}  // namespace

TrafficGenerator::TrafficGenerator(const TrafficOptions& options, const Population& population,
                                   const Trips& trips, const Injections& injections)
    : options_(options),
      population_(population),
      trips_(trips),
      random_(options.seed, Purpose::kBackground),
      users_(population.size()),
      injections_(injections) {
  for (UserState& user : users_) user.last_typo_ms = options.start_ms - kDayMs;
  for (const Injection& injection : injections.list) {
    injected_.insert(injected_.end(), injection.events.begin(), injection.events.end());
  }
  std::sort(injected_.begin(), injected_.end());
  uint64_t sum = 0;
  activity_until_.push_back(0);
  for (int64_t minute = 0; minute < kMinutesPerDay; ++minute) {
    for (size_t c = 0; c < countries().size(); ++c) {
      sum += uint64_t{countries()[c].share} * activity(CountryIndex(c), minute * kMinuteMs);
    }
    activity_until_.push_back(sum);
  }
}

uint64_t TrafficGenerator::rows_due(int64_t time_ms) const {
  int64_t midnight = floor_to(options_.start_ms, kDayMs);
  uint64_t per_day = activity_until_.back();
  auto until = [&](int64_t at_ms) {
    auto days = static_cast<uint64_t>((at_ms - midnight) / kDayMs);
    uint64_t today = activity_until_[static_cast<size_t>((at_ms - midnight) % kDayMs / kMinuteMs)];
    return days * options_.events_per_day + options_.events_per_day * today / per_day;
  };
  return until(time_ms) - until(options_.start_ms);
}

bool TrafficGenerator::run(const Emit& emit) {
  size_t next_injected = 0;
  auto emit_until = [&](int64_t time_ms) {
    while (!pending_.empty() && pending_.top().time_ms < time_ms) {
      if (!emit(pending_.top())) return false;
      pending_.pop();
    }
    return true;
  };
  for (int64_t minute = options_.start_ms; minute < options_.end_ms(); minute += kMinuteMs) {
    fill_minute(minute);
    for (;
         next_injected < injected_.size() && injected_[next_injected].time_ms < minute + kMinuteMs;
         ++next_injected) {
      pending_.push(injected_[next_injected]);
    }
    if (!emit_until(minute + kMinuteMs)) return false;
  }
  POLLUX_CHECK(next_injected == injected_.size());
  // Logins that began in the last minute end a little after it.
  return emit_until(options_.end_ms() + kHourMs);
}

void TrafficGenerator::fill_minute(int64_t minute_ms) {
  int64_t end_ms = std::min(minute_ms + kMinuteMs, options_.end_ms());
  uint64_t due = rows_due(end_ms);
  Login login{};
  while (rows_ < due && pick_login(minute_ms, login)) add_login(login);
  rows_ = std::max(rows_, due);  // what a quiet minute lacks is not made up for later
}

bool TrafficGenerator::pick_login(int64_t minute_ms, Login& login) {
  for (int pick = 0; pick < kPicksMax; ++pick) {
    int64_t time_ms = minute_ms + static_cast<int64_t>(random_.below(kMinuteMs));
    UserIndex index = population_.by_weight(random_.below(population_.total_weight()));
    const User& user = population_.user(index);
    if (time_ms < users_[static_cast<size_t>(index)].busy_until_ms) continue;
    auto country = trips_.country_at(index, time_ms);
    if (!country || injections_.quiet_at(index, time_ms)) continue;
    if (!user.service_account && random_.below(100) >= activity(*country, time_ms)) continue;
    login = {index, pick_address(user, *country, time_ms), *country, pick_service(), time_ms};
    return true;
  }
  return false;
}

Address TrafficGenerator::pick_address(const User& user, CountryIndex country, int64_t time_ms) {
  if (country != user.country) return shared_address(country, user.name_number);
  if (user.service_account) return user.home;
  int64_t hour = local_minute(country, time_ms) / 60;
  if (user.has_office && hour >= 8 && hour < 18 && random_.percent(80)) return user.office;
  return random_.percent(75) ? user.home : user.mobile;
}

ServiceIndex TrafficGenerator::pick_service() {
  // The lesser of two draws: the first ones are the popular ones.
  uint64_t count = service_providers().size();
  return ServiceIndex(std::min(random_.below(count), random_.below(count)));
}

void TrafficGenerator::add_login(Login login) {
  const User& user = population_.user(login.user);
  UserState& state = users_[static_cast<size_t>(login.user)];
  bool signed_in = login.time_ms < state.session_until_ms && state.session_address == login.address;
  if (signed_in && random_.percent(kReusedSessionPercent)) {
    add(login, EventKind::kReusedSession, login.time_ms, true);
    ++next_context_;
    return;
  }
  if (may_mistype(login)) login.time_ms = add_typos(login);
  add(login, EventKind::kStep, login.time_ms, true);
  int64_t done_ms = login.time_ms;
  if (get(login.service).second_factor && !user.service_account) {
    done_ms += random_.between(5 * kSecondMs, 15 * kSecondMs);
    add(login, EventKind::kStep, done_ms, true, 2);
  }
  done_ms += random_.between(3, 30);
  add(login, EventKind::kOverall, done_ms, true);
  ++next_context_;
  state.busy_until_ms = done_ms + kSecondMs;
  state.session_until_ms = done_ms + random_.between(kHourMs, 8 * kHourMs);
  state.session_address = login.address;
}

bool TrafficGenerator::may_mistype(const Login& login) {
  if (!random_.percent(kTypoPercent) || population_.user(login.user).service_account) return false;
  UserState& state = users_[static_cast<size_t>(login.user)];
  if (login.time_ms - state.last_typo_ms < kTypoPauseMs) return false;
  auto [at, is_new] = address_typos_.try_emplace(static_cast<uint32_t>(login.address));
  auto& recent = at->second;
  if (is_new) recent.fill(options_.start_ms - kDayMs);
  // Logins of a minute are picked in no order of time: the oldest typo is the least, not the first.
  auto oldest = std::min_element(recent.begin(), recent.end());
  if (login.time_ms - *oldest < kAddressTypoWindowMs) return false;
  *oldest = login.time_ms;
  return true;
}

int64_t TrafficGenerator::add_typos(const Login& login) {
  uint64_t ticket = random_.below(100);
  int typos = ticket < 75 ? 1 : ticket < 93 ? 2 : 3;
  int64_t time_ms = login.time_ms;
  for (int i = 0; i < typos; ++i) {
    add(login, EventKind::kStep, time_ms, false);
    time_ms += random_.between(3 * kSecondMs, 14 * kSecondMs);
  }
  users_[static_cast<size_t>(login.user)].last_typo_ms = time_ms;
  return time_ms;
}

void TrafficGenerator::add(const Login& login, EventKind kind, int64_t time_ms, bool success,
                           uint8_t step) {
  AuthEvent event;
  event.time_ms = time_ms;
  event.number = EventNumber{next_number_++};
  event.context = ContextNumber{next_context_};
  event.user = login.user;
  event.address = login.address;
  event.country = login.country;
  event.service = login.service;
  event.kind = kind;
  event.step = step;
  event.success = success;
  event.first_login = kind == EventKind::kOverall;
  pending_.push(event);
  ++rows_;
}

}  // namespace pollux::traffic
