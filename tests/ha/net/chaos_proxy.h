// What may happen to connections on their way: bytes come late, stand still, or the line is cut.
// Nothing is reordered. One thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pollux {

class ChaosProxy {
 public:
  ChaosProxy();
  ~ChaosProxy();
  ChaosProxy(const ChaosProxy&) = delete;
  ChaosProxy& operator=(const ChaosProxy&) = delete;

  uint16_t port() const { return port_; }
  /// Thread: any, all of these. Where connections lead; those that come before are cut.
  void leads_to(uint16_t port) { target_ = port; }
  /// Every connection there is ends at both ends.
  void cut() { ++cuts_; }
  void delay(std::chrono::milliseconds by) { delay_ms_ = by.count(); }
  /// Nothing is taken any more, and nothing ends.
  void stand_still(bool still) { still_ = still; }
  size_t connections() const { return count_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Piece {
    std::string bytes;
    Clock::time_point due;
  };
  struct Lane {
    int from;
    int to;
    std::deque<Piece> pieces = {};
    bool ended = false;  // nothing more comes
  };
  struct Line {
    int ends[2];
    Lane lanes[2];
  };

  void run();
  void accept_one();
  /// False: the line is over.
  bool move(Line& line);
  bool move(Lane& lane);
  void close_all();

  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<uint16_t> target_ = 0;
  std::atomic<int> cuts_ = 0;
  std::atomic<int64_t> delay_ms_ = 0;
  std::atomic<bool> still_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<size_t> count_ = 0;
  std::vector<std::unique_ptr<Line>> lines_;
  std::thread thread_;
};

}  // namespace pollux
