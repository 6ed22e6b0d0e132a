#include "tests/ha/sim/sim_arbiter.h"

#include <algorithm>
#include <memory>

namespace pollux {

void SimArbiter::apply(const std::optional<ArbiterRecord>& next) {
  if (!next || next->version != record_.version + 1) return;
  record_ = *next;
  changed_(record_);
}

void SimArbiter::ask(Place from, std::optional<ArbiterRecord> next, Answer answer) {
  auto answered = std::make_shared<bool>(false);
  auto once = [answered, answer](std::optional<ArbiterRecord> record) {
    if (*answered) return;
    *answered = true;
    answer(record);
  };
  time_.after_us(kTimeoutUs, [once] { once(std::nullopt); });
  int64_t delay = chance_.between(200, 6000);
  bool reply_lost = false;
  if (chance_.permille(unknown_permille_)) {
    uint64_t kind = chance_.below(3);
    if (kind == 0) return;  // never gets there
    reply_lost = true;
    if (kind == 1) delay = chance_.between(kTimeoutUs / 2, kLatestUs);
  }
  if (next) pending_until_us_ = std::max(pending_until_us_, time_.now_us() + kOnTheWayUs + delay);
  network_.send(from, Place::kArbiter, [this, from, next, once, delay, reply_lost] {
    if (silent_) return;
    time_.after_us(delay, [this, from, next, once, delay, reply_lost] {
      uint64_t before = record_.version;
      apply(next);
      if (delay > kTimeoutUs && record_.version > before) ++late_successes_;
      if (reply_lost) return;
      network_.send(Place::kArbiter, from, [once, record = record_] { once(record); });
    });
  });
}

}  // namespace pollux
