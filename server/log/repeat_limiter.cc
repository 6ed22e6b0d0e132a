#include "server/log/repeat_limiter.h"

namespace pollux {

bool RepeatLimiter::admit(std::string_view name, Time now) {
  const std::lock_guard lock(mutex_);
  auto found = windows_.find(name);
  if (found == windows_.end()) {
    if (windows_.size() >= kLimitNamesMax) name = "other";
    found = windows_.try_emplace(std::string(name), Window{now}).first;
  }
  Window& window = found->second;
  if (now - window.begin >= limit_.interval) {
    window.begin = now;
    window.admitted = 0;
  }
  if (window.admitted < limit_.messages) {
    ++window.admitted;
    return true;
  }
  ++window.suppressed;
  return false;
}

std::vector<RepeatLimiter::Suppressed> RepeatLimiter::take_suppressed(Time now, bool all) {
  const std::lock_guard lock(mutex_);
  std::vector<Suppressed> taken;
  for (auto& [name, window] : windows_) {
    if (window.suppressed == 0) continue;
    if (!all && now - window.begin < limit_.interval) continue;
    taken.push_back({name, window.suppressed});
    window.suppressed = 0;
  }
  return taken;
}

}  // namespace pollux
