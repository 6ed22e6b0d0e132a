// Records and names for tests of arbiters.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "ha/arbiter/arbiter.h"

namespace pollux {

inline constexpr JournalId kCastor{0xCA5701, 1};
inline constexpr JournalId kPolydeuces{0x901DE, 2};

/// Of this version, with epochs that grow with it, led by `active` alone.
inline ArbiterRecord record_of(uint64_t version, JournalId active = kCastor) {
  ArbiterRecord record;
  record.domain = DomainId{0xD0, 0x3A1};
  record.version = version;
  record.epoch = Epoch{version};
  record.active = active;
  return record;
}

/// What became of a call that is to end by `timeout_ms`, however its server behaves.
inline absl::Status ends_in_time(int64_t timeout_ms,
                                 const std::function<absl::StatusOr<ArbiterRecord>()>& call) {
  constexpr int64_t kSlackMs = 500;  // what a busy machine may take to wake up who waits
  auto start = std::chrono::steady_clock::now();
  absl::Status status = call().status();
  auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
            timeout_ms + kSlackMs)
      << status;
  return status;
}

/// That an answer is an error of that code, and tells of `what`.
inline void expect_error(const absl::Status& status, absl::StatusCode code,
                         const std::string& what) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_NE(std::string(status.message()).find(what), std::string::npos) << what << "\n" << status;
}

}  // namespace pollux
