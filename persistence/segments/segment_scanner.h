// Goes over the frames of one segment file from front to back.
//
// Whole frames only are shown; where the bytes are none it stands still, and can look for the next
// whole frame behind. The file may grow meanwhile. Thread: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/frame.h"

namespace pollux {

enum class ScanStep {
  kFrame,
  kEnd,  ///< the file ends here
  kBad,  ///< bytes follow that are no whole frame
};

class SegmentScanner {
 public:
  /// `file` must outlive it.
  SegmentScanner(const ReadFile& file, const LogId& id) : file_(file), id_(id) {}

  /// Errors are the disk's.
  absl::StatusOr<ScanStep> next();
  /// From bytes that are no whole frame to the next one behind them: kFrame or kEnd.
  absl::StatusOr<ScanStep> find_next();

  /// Valid until the next call; a copy shows the same.
  const LogFrame& frame() const { return frame_; }
  /// Where that frame begins, and where the next one would.
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }

 private:
  /// Up to `bytes` of the file from `offset` on; fewer only where it ends.
  absl::StatusOr<std::string_view> at(uint64_t offset, size_t bytes);
  absl::StatusOr<ScanStep> frame_at(uint64_t offset);

  const ReadFile& file_;
  LogId id_;
  LogFrame frame_;
  uint64_t begin_ = 0;
  uint64_t end_ = kSegmentHeaderBytes;
  std::shared_ptr<const std::string> buffer_ = std::make_shared<std::string>();  // copies share it
  uint64_t buffer_begin_ = 0;
};

}  // namespace pollux
