// One sign-in event as the identity server publishes it, in short form, and its long form as a row
// of CSV or JSON of stream OverallAuthentication.
//
// A login gives a `step` event for each try of each step, and an `overall` event when it succeeds.
#pragma once

#include <cstdint>
#include <string>

#include "server/tool/generate/population.h"

namespace pollux::traffic {

enum class EventKind : uint8_t {
  kStep,
  kOverall,
  kReusedSession,  ///< an overall success without a step: the user was signed in already
};

/// A number from which an id is made; ids do not show it.
enum class EventNumber : uint64_t {};
enum class ContextNumber : uint64_t {};

struct AuthEvent {
  int64_t time_ms = 0;
  EventNumber number{};  ///< unique; orders events of one millisecond
  ContextNumber context{};
  UserIndex user{};
  Address address{};
  CountryIndex country{};
  ServiceIndex service{};
  EventKind kind = EventKind::kStep;
  uint8_t step = 1;  ///< 2: the second factor
  bool success = false;
  bool first_login = false;

  friend bool operator<(const AuthEvent& a, const AuthEvent& b) {
    return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.number < b.number;
  }
};

/// The ids in the form of a random UUID: unique in a run, and the same in each run of a seed.
std::string event_id(uint64_t seed, EventNumber number);
std::string context_id(uint64_t seed, ContextNumber number);

enum class RowFormat : uint8_t { kCsv, kJson };

/// Appends rows to a text. Thread: one owner.
class RowWriter {
 public:
  RowWriter(const Population& population, uint64_t seed, RowFormat format)
      : population_(population), seed_(seed), format_(format) {}

  /// CSV's header; nothing for JSON lines.
  void append_header(std::string& to) const;
  void append(const AuthEvent& event, std::string& to) const;

 private:
  const Population& population_;
  uint64_t seed_;
  RowFormat format_;
};

}  // namespace pollux::traffic
