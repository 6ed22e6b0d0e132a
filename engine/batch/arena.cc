#include "engine/batch/arena.h"

#include <algorithm>

namespace pollux {

void Arena::add_block(size_t bytes) {
  size_t size = blocks_.empty() ? kFirstBlockBytes : std::min(kBlockBytesMax, held_ * 2);
  size = std::max(size, bytes);
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  held_ += size;
  next_ = blocks_.back().data.get();
  end_ = next_ + size;
}

void Arena::clear() {
  used_ = 0;
  if (blocks_.empty()) return;
  auto largest = std::max_element(blocks_.begin(), blocks_.end(),
                                  [](const Block& a, const Block& b) { return a.size < b.size; });
  Block kept = std::move(*largest);
  blocks_.clear();
  held_ = kept.size;
  next_ = kept.data.get();
  end_ = next_ + kept.size;
  blocks_.push_back(std::move(kept));
}

}  // namespace pollux
