// The newest slices of a log, in memory. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "server/node/result_slice.h"

namespace pollux {

class ResultWindow {
 public:
  /// Empty; the first row to come has the offset `begin`.
  explicit ResultWindow(uint64_t begin) : begin_(begin), end_(begin) {}

  void push(ResultSlicePtr slice);
  /// Drops the oldest slices, while there are more bytes and they end at or below `up_to`. The
  /// newest one stays.
  void shrink(size_t bytes_max, uint64_t up_to);

  /// Rows [begin, end) are there.
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  size_t bytes() const { return bytes_; }
  size_t slices() const { return slices_.size(); }

  /// About `rows_max` rows from `from` on, which is not below begin(); whole slices.
  std::vector<ResultSlicePtr> read(uint64_t from, size_t rows_max) const;

 private:
  std::deque<ResultSlicePtr> slices_;
  uint64_t begin_;
  uint64_t end_;
  size_t bytes_ = 0;
};

}  // namespace pollux
