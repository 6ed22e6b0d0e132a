// Counts what a server acknowledged, and how long each acknowledgement took.
//
// One for each connection. Answers come in the order of the requests. Thread: one sends, one takes
// answers, any reads the counts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace pollux::bench {

inline int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class AckMeter {
 public:
  static constexpr size_t kWindowMax = 4096;  ///< requests on the way

  /// A request is about to be sent, or was due then.
  void sent(int64_t at_ns = steady_ns()) {
    sent_ns_[sends_ % kWindowMax].store(at_ns, std::memory_order_relaxed);
    ++sends_;
  }

  /// The oldest request without an answer is acknowledged.
  void acked() {
    if (measuring_.load(std::memory_order_relaxed)) {
      const auto& sent_ns = sent_ns_[answers() % kWindowMax];
      int64_t sent = sent_ns.load(std::memory_order_relaxed);
      latencies_us_.push_back(static_cast<uint32_t>((steady_ns() - sent) / 1000));
      sent_at_ns_.push_back(sent);
    }
    acks_.fetch_add(1, std::memory_order_relaxed);
    answers_.fetch_add(1, std::memory_order_release);
  }

  /// It is refused because the plan is behind.
  void refused() {
    refused_.push_back(answers());
    answers_.fetch_add(1, std::memory_order_release);
  }

  uint64_t sends() const { return sends_; }
  uint64_t answers() const { return answers_.load(std::memory_order_acquire); }
  uint64_t acks() const { return acks_.load(std::memory_order_relaxed); }

  /// From here on, or no longer, latencies are kept.
  void measure(bool on) { measuring_.store(on, std::memory_order_relaxed); }

  // ---- once nothing comes any more ----

  const std::vector<uint32_t>& latencies_us() const { return latencies_us_; }
  /// When those were sent, or due.
  const std::vector<int64_t>& sent_at_ns() const { return sent_at_ns_; }
  /// Numbers of the requests, from 0 on.
  const std::vector<uint64_t>& refused_requests() const { return refused_; }

 private:
  uint64_t sends_ = 0;
  std::atomic<uint64_t> answers_ = 0;
  std::atomic<uint64_t> acks_ = 0;
  std::atomic<bool> measuring_ = false;
  std::array<std::atomic<int64_t>, kWindowMax> sent_ns_ = {};
  std::vector<uint32_t> latencies_us_;
  std::vector<int64_t> sent_at_ns_;
  std::vector<uint64_t> refused_;
};

}  // namespace pollux::bench
