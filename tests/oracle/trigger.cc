#include "tests/oracle/trigger.h"

namespace pollux::oracle {

TriggerRuntime::TriggerRuntime(const ast::TriggerDefinition& definition, PlanState& plan,
                               Junction& output)
    : definition_(definition), plan_(plan), output_(output) {
  bool at_start = lower_case(definition.at) == "start";
  if (!definition.every_ms && !at_start) every_seconds_ = seconds_of_cron(definition.at);
  plan.clock.when_started([this, at_start] {
    next_ = plan_.clock.now();
    if (at_start) {
      fire();
    } else {
      wait();
    }
  });
}

// A leap of the clock is caught up with by what comes every so often, not by cron.
void TriggerRuntime::wait() {
  next_ = definition_.every_ms ? next_ + *definition_.every_ms
                               : next_by_cron(every_seconds_, plan_.clock.now());
  plan_.clock.notify_at(next_, [this](int64_t) {
    fire();
    wait();
  });
}

void TriggerRuntime::fire() {
  int64_t now = plan_.clock.now();
  Event event{EventKind::kCurrent, now, {now}};
  if (plan_.record_deliveries) plan_.deliveries.push_back({output_.name(), false, {event}});
  output_.send({event});
}

int64_t next_by_cron(int64_t every_seconds, int64_t now) {
  int64_t minute = now - now % 60'000;
  int64_t second = (now - minute) / 1000 / every_seconds * every_seconds + every_seconds;
  return second < 60 ? minute + second * 1000 : minute + 60'000;
}

int64_t seconds_of_cron(const std::string& expression) {
  size_t digits = expression.find_first_not_of("0123456789", 2);
  bool known = expression.starts_with("*/") && digits != std::string::npos && digits > 2 &&
               expression.substr(digits) == " * * * * ?";
  int64_t seconds = known ? std::stoll(expression.substr(2)) : 0;
  if (seconds < 1 || seconds > 59) throw PlanError{"no such cron expression for the oracle"};
  return seconds;
}

}  // namespace pollux::oracle
