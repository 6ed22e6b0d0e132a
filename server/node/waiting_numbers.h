// The numbers of the batches that wait for room, by producer: they are taken by nobody yet, and
// what comes behind them waits too.
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/check.h"

namespace pollux {

class WaitingNumbers {
 public:
  bool has(std::string_view producer, uint64_t number) const {
    const std::deque<uint64_t>* numbers = of(producer);
    return numbers != nullptr &&
           std::find(numbers->begin(), numbers->end(), number) != numbers->end();
  }
  /// The one that came last; 0: none waits.
  uint64_t last(std::string_view producer) const {
    const std::deque<uint64_t>* numbers = of(producer);
    return numbers == nullptr ? 0 : numbers->back();
  }
  /// No other one of the producer came before it, of those that wait.
  bool is_first(std::string_view producer, uint64_t number) const {
    const std::deque<uint64_t>* numbers = of(producer);
    return numbers != nullptr && numbers->front() == number;
  }

  void add(const std::string& producer, uint64_t number) { numbers_[producer].push_back(number); }
  void remove(std::string_view producer, uint64_t number) {
    auto known = numbers_.find(producer);
    POLLUX_CHECK(known != numbers_.end());
    std::erase(known->second, number);
    if (known->second.empty()) numbers_.erase(known);
  }

 private:
  const std::deque<uint64_t>* of(std::string_view producer) const {
    auto known = numbers_.find(producer);
    return known == numbers_.end() ? nullptr : &known->second;
  }

  std::map<std::string, std::deque<uint64_t>, std::less<>> numbers_;  // in order of arrival
};

}  // namespace pollux
