// The data of the workloads: login events and users, made from a seed, and the plain-text file that
// carries the same values to every engine that is measured.
//
// File of events: one line an event, `username ip success region ts risk` between tabs; `success`
// is true or false, `risk` has 17 significant digits, so that it reads back as the same double.
// File of users: `username dept level`. Nothing made beforehand (hashes, codes) stands in them.
// Thread: any. Failure: files that cannot be written or read throw std::runtime_error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pollux::bench {

inline constexpr uint64_t kDefaultSeed = 20240607;
inline constexpr uint32_t kEvents = 1u << 20;
inline constexpr uint32_t kUsers = 10'000;
inline constexpr uint32_t kAddresses = 65'536;
inline constexpr uint32_t kRegions = 50;
/// A whole minute; event i of a feed happens i milliseconds later, however often the data is
/// cycled.
inline constexpr int64_t kFirstTimestampMs = 28'333'334LL * 60'000;

struct LoginEvent {
  std::string username;
  std::string ip;
  bool success;
  std::string region;
  int64_t ts;
  double risk;
};

struct User {
  std::string username;
  std::string dept;
  int32_t level;
};

/// `count` events of `seed`. Users are Zipf with exponent 1, addresses, regions and risks uniform,
/// a fifth are failures. Risks are multiples of 2^-24: sums over any window of the workloads are
/// exact in a double, so an average does not depend on the order in which an engine adds.
std::vector<LoginEvent> make_events(uint64_t seed, uint32_t count);

/// One row for each user that make_events() names.
std::vector<User> make_users();

void write_events(const std::string& path, const std::vector<LoginEvent>& events);
void write_users(const std::string& path, const std::vector<User>& users);
std::vector<LoginEvent> read_events(const std::string& path);
std::vector<User> read_users(const std::string& path);

}  // namespace pollux::bench
