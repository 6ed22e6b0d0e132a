#include "server/node/result_window.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace pollux {

void ResultWindow::push(ResultSlicePtr slice) {
  POLLUX_CHECK(slice->first == end_);
  end_ = slice->end();
  bytes_ += bytes_of(*slice);
  slices_.push_back(std::move(slice));
}

void ResultWindow::shrink(size_t bytes_max, uint64_t up_to) {
  while (bytes_ > bytes_max && slices_.size() > 1 && slices_.front()->end() <= up_to) {
    bytes_ -= bytes_of(*slices_.front());
    slices_.pop_front();
    begin_ = slices_.front()->first;
  }
}

std::vector<ResultSlicePtr> ResultWindow::read(uint64_t from, size_t rows_max) const {
  POLLUX_CHECK(from >= begin_);
  std::vector<ResultSlicePtr> read;
  auto slice = std::partition_point(slices_.begin(), slices_.end(),
                                    [&](const auto& each) { return each->end() <= from; });
  for (size_t rows = 0; slice != slices_.end() && rows < rows_max; ++slice) {
    rows += (*slice)->batch->rows();
    read.push_back(*slice);
  }
  return read;
}

}  // namespace pollux
