// The ledger: what was put into the traffic, as JSON lines.
//
// A line for each injection ("type": "attack" or "near-miss"), and a last one of "type": "summary"
// with the counts that statistics over the whole run must give.
#pragma once

#include <cstdint>
#include <string>

#include "server/tool/generate/auth_event.h"
#include "server/tool/generate/injections.h"
#include "server/tool/generate/population.h"

namespace pollux::traffic {

struct TrafficSummary {
  uint64_t events = 0;
  uint64_t step_successes = 0;
  uint64_t step_failures = 0;
  uint64_t overall_successes = 0;
  uint64_t first_logins = 0;
  int64_t first_ms = 0;
  int64_t last_ms = 0;

  void count(const AuthEvent& event);
};

void append_ledger_line(const Injection& injection, const Population& population, uint64_t seed,
                        std::string& to);
void append_ledger_line(const TrafficSummary& summary, uint64_t seed, std::string& to);

}  // namespace pollux::traffic
