// How often each value stands in a group: a small open table of keys and counts.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/hash.h"
#include "engine/base/string_pool.h"

namespace pollux {

class ValueCounts {
 public:
  uint32_t size() const { return used_; }

  /// `hash` is that of the key in what follows.
  void add(const StringRef& key, uint64_t hash, StringPool& strings) {
    if ((used_ + 1) * 2 > cells_.size()) grow();
    Cell& cell = cells_[find(key, hash)];
    if (cell.count == 0) {
      cell.key = strings.store(key);
      cell.tag = tag_of(hash);
      ++used_;
    }
    ++cell.count;
  }

  void remove(const StringRef& key, uint64_t hash, StringPool& strings) {
    if (cells_.empty()) return;
    size_t at = find(key, hash);
    if (cells_[at].count == 0 || --cells_[at].count != 0) return;
    strings.release(cells_[at].key);
    --used_;
    close_gap(at);
  }

  void clear(StringPool& strings) {
    for (Cell& cell : cells_) {
      if (cell.count != 0) strings.release(cell.key);
    }
    cells_.clear();
    used_ = 0;
  }

  /// Asks for the memory that a key's cell is in, then for the key's bytes.
  void prefetch_cell(uint64_t hash) const {
    if (!cells_.empty()) __builtin_prefetch(&cells_[hash & (cells_.size() - 1)]);
  }
  void prefetch_key(uint64_t hash) const {
    if (!cells_.empty()) __builtin_prefetch(cells_[hash & (cells_.size() - 1)].key.data());
  }

  size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    StringRef key;
    uint32_t count = 0;
    uint32_t tag = 0;  ///< of the hash: spares most looks at the key
  };

  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

  /// Where the key is, or the empty cell where it would go.
  size_t find(const StringRef& key, uint64_t hash) const {
    size_t mask = cells_.size() - 1;
    size_t at = hash & mask;
    while (cells_[at].count != 0 && !(cells_[at].tag == tag_of(hash) && cells_[at].key == key)) {
      at = (at + 1) & mask;
    }
    return at;
  }

  void grow() {
    std::vector<Cell> old(cells_.empty() ? 8 : cells_.size() * 2);
    old.swap(cells_);
    for (const Cell& cell : old) {
      if (cell.count != 0) cells_[find(cell.key, hash_of(cell.key))] = cell;
    }
  }

  void close_gap(size_t gap) {
    size_t mask = cells_.size() - 1;
    for (size_t next = (gap + 1) & mask; cells_[next].count != 0; next = (next + 1) & mask) {
      size_t home = hash_of(cells_[next].key) & mask;
      if (((next - home) & mask) >= ((next - gap) & mask)) {
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
