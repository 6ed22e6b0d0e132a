// The ordinary traffic of a run with the injections merged in, in order of time.
//
// Ordinary traffic never raises an alert by chance, because these limits hold:
//  - a user mistypes at most three times in a row, and not again within ten minutes;
//  - at one address at most four users mistype within six minutes;
//  - who travels is out of sight for as long as the way takes (trips.h);
//  - users are left alone around the time of an injection they play in.
// Memory: the users, and the events of the minute at hand. Thread: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "server/tool/generate/auth_event.h"
#include "server/tool/generate/injections.h"
#include "server/tool/generate/options.h"
#include "server/tool/generate/population.h"
#include "server/tool/generate/random.h"
#include "server/tool/generate/trips.h"

namespace pollux::traffic {

class TrafficGenerator {
 public:
  static constexpr int64_t kTypoPauseMs = 10 * kMinuteMs;
  static constexpr int64_t kAddressTypoWindowMs = 6 * kMinuteMs;
  static constexpr size_t kAddressTyposMax = 4;

  /// Borrows all of them.
  TrafficGenerator(const TrafficOptions& options, const Population& population, const Trips& trips,
                   const Injections& injections);

  /// Takes the next event; false stops the run.
  using Emit = std::function<bool(const AuthEvent&)>;

  /// Makes the whole run. False when `emit` stopped it.
  bool run(const Emit& emit);

 private:
  struct UserState {
    int64_t busy_until_ms = 0;  ///< a login is going on
    int64_t last_typo_ms = 0;
    int64_t session_until_ms = 0;
    Address session_address{};
  };
  struct Login {
    UserIndex user;
    Address address;
    CountryIndex country;
    ServiceIndex service;
    int64_t time_ms;
  };
  struct Later {
    bool operator()(const AuthEvent& a, const AuthEvent& b) const { return b < a; }
  };

  void fill_minute(int64_t minute_ms);
  /// Rows due from the start of the run to `time_ms`, by the curve of activity.
  uint64_t rows_due(int64_t time_ms) const;
  bool pick_login(int64_t minute_ms, Login& login);
  Address pick_address(const User& user, CountryIndex country, int64_t time_ms);
  ServiceIndex pick_service();
  void add_login(Login login);
  int64_t add_typos(const Login& login);
  bool may_mistype(const Login& login);
  void add(const Login& login, EventKind kind, int64_t time_ms, bool success, uint8_t step = 1);

  const TrafficOptions& options_;
  const Population& population_;
  const Trips& trips_;
  Random random_;
  std::vector<UserState> users_;
  std::unordered_map<uint32_t, std::array<int64_t, kAddressTyposMax>> address_typos_;
  std::vector<AuthEvent> injected_;  ///< in order of time
  std::priority_queue<AuthEvent, std::vector<AuthEvent>, Later> pending_;
  const Injections& injections_;
  std::vector<uint64_t> activity_until_;  ///< by minute of a UTC day, summed from midnight
  uint64_t rows_ = 0;
  uint64_t next_number_ = 1;
  uint64_t next_context_ = 1;
};

}  // namespace pollux::traffic
