// Waiting for a condition in tests, with an end.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace pollux {

/// Whether it became true in time; asks every few milliseconds.
inline bool becomes_true(const std::function<bool()>& condition,
                         std::chrono::milliseconds within = std::chrono::seconds(30)) {
  auto end = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace pollux
