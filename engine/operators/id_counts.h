// How often each number stands in a group: a small open table of numbers and counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "engine/state/state_archive.h"

namespace pollux {

class IdCounts {
 public:
  uint32_t size() const { return used_; }

  /// True when the number was not there.
  bool add(uint32_t id) {
    if ((used_ + 1) * 4 > cells_.size() * 3) grow();
    Cell& cell = cells_[find(id)];
    if (cell.count++ != 0) return false;
    cell.id = id;
    ++used_;
    return true;
  }

  /// True when the number is there no longer.
  bool remove(uint32_t id) {
    if (cells_.empty()) return false;
    size_t at = find(id);
    if (cells_[at].count == 0 || --cells_[at].count != 0) return false;
    --used_;
    close_gap(at);
    return true;
  }

  /// Calls `gone` with each number that was there. The table's memory is kept for as many again.
  template <class F>
  void clear(F&& gone) {
    if (used_ == 0) return;
    for (const Cell& cell : cells_) {
      if (cell.count != 0) gone(cell.id);
    }
    if (used_ * kSpareMax < cells_.size()) {
      cells_ = {};
    } else {
      std::fill(cells_.begin(), cells_.end(), Cell{});
    }
    used_ = 0;
  }

  void prefetch(uint32_t id) const {
    if (!cells_.empty()) __builtin_prefetch(&cells_[home_of(id)]);
  }

  void archive(StateArchive& archive) {
    std::vector<Cell> held;
    std::copy_if(cells_.begin(), cells_.end(), std::back_inserter(held),
                 [](const Cell& cell) { return cell.count != 0; });
    std::sort(held.begin(), held.end(), [](const Cell& a, const Cell& b) { return a.id < b.id; });
    archive(held);
    if (!archive.loads()) return;
    for (const Cell& cell : held) {
      if (cell.count == 0 || !add(cell.id)) return archive.fail();
      cells_[find(cell.id)].count = cell.count;
    }
  }

  template <class F>
  void for_each(F&& take) const {
    for (const Cell& cell : cells_) {
      if (cell.count != 0) take(cell.id);
    }
  }

  size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  static constexpr size_t kSpareMax = 16;  ///< cells a number, above which memory is given back

  struct Cell {
    uint32_t id = 0;
    uint32_t count = 0;
    void archive(StateArchive& archive) { archive(id, count); }
  };

  size_t home_of(uint32_t id) const {
    return ((id * 0x9e3779b97f4a7c15ULL) >> 32) & (cells_.size() - 1);
  }

  /// Where the number is, or the empty cell where it would go.
  size_t find(uint32_t id) const {
    size_t mask = cells_.size() - 1;
    size_t at = home_of(id);
    while (cells_[at].count != 0 && cells_[at].id != id) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<Cell> old(cells_.empty() ? 8 : cells_.size() * 2);
    old.swap(cells_);
    for (const Cell& cell : old) {
      if (cell.count != 0) cells_[find(cell.id)] = cell;
    }
  }

  void close_gap(size_t gap) {
    size_t mask = cells_.size() - 1;
    for (size_t next = (gap + 1) & mask; cells_[next].count != 0; next = (next + 1) & mask) {
      if (((next - home_of(cells_[next].id)) & mask) >= ((next - gap) & mask)) {
        cells_[gap] = cells_[next];
        gap = next;
      }
    }
    cells_[gap] = Cell{};
  }

  std::vector<Cell> cells_;
  uint32_t used_ = 0;
};

}  // namespace pollux
