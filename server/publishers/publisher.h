// One way out for results: a log, a file, an address, a table.
//
// Thread: the sink's own, one call at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "server/node/result_log.h"

namespace pollux {

/// What the other side asks us to wait counts up to here.
constexpr std::chrono::milliseconds kRetryAfterMax{300'000};

struct PublishedRow {
  const ResultSlice* slice = nullptr;
  uint32_t row = 0;
};

struct Published {
  /// kOk: all rows are out. kUnavailable, kDeadlineExceeded, kResourceExhausted: none may be, try
  /// all again. Anything else: they will never be taken. Rows may come twice after an error.
  absl::Status status = {};
  /// The other side asked not to be tried before.
  std::chrono::milliseconds retry_after{0};
  /// With kOk: so many rows were refused for ever, and why the first of them.
  uint64_t refused = 0;
  std::string refusal = {};
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  /// The most rows that one call takes.
  virtual size_t rows_max() const = 0;
  /// Waits for the other side, at most about a second longer once `stopping` is true.
  virtual Published publish(std::span<const PublishedRow> rows,
                            const std::atomic<bool>& stopping) = 0;
};

}  // namespace pollux
