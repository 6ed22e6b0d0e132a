// Time that passes only from one event to the next. Equal times go in the order in which they were
// asked for. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace pollux {

class VirtualTime {
 public:
  using Call = std::function<void()>;

  int64_t now_us() const { return now_us_; }
  int64_t now_ms() const { return now_us_ / 1000; }
  void after_us(int64_t us, Call call) { at_us(now_us_ + us, std::move(call)); }
  void at_us(int64_t us, Call call) {
    calls_.push({us < now_us_ ? now_us_ : us, next_++, std::move(call)});
  }
  /// The next event happens. False: there is none up to that time, which it is now.
  bool step(int64_t until_us) {
    if (calls_.empty() || calls_.top().at_us > until_us) {
      now_us_ = until_us;
      return false;
    }
    now_us_ = calls_.top().at_us;
    Call call = std::move(const_cast<Item&>(calls_.top()).call);
    calls_.pop();
    call();
    return true;
  }

 private:
  struct Item {
    int64_t at_us;
    uint64_t order;
    Call call;
    friend bool operator<(const Item& a, const Item& b) {
      return a.at_us != b.at_us ? a.at_us > b.at_us : a.order > b.order;
    }
  };

  int64_t now_us_ = 0;
  uint64_t next_ = 0;
  std::priority_queue<Item> calls_;
};

}  // namespace pollux
