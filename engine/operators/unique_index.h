// Numbers for the keys of rows that are held, and where in a batch the row of each key stands.
//
// A number is given back when the last row that holds it is gone. Thread: the shard's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/operators/group_table.h"

namespace pollux {

class UniqueIndex {
 public:
  static constexpr uint32_t kNoPlace = UINT32_MAX;

  explicit UniqueIndex(StringPool& strings) : keys_(strings) {}

  /// The number of a key within a partition instance, held once more.
  uint32_t take(const StringRef& key, uint32_t instance) {
    uint32_t number = keys_.find_or_insert(key, instance);
    if (number >= entries_.size()) entries_.resize(number + 1);
    ++entries_[number].holders;
    return number;
  }
  void drop(uint32_t number) {
    if (--entries_[number].holders == 0) keys_.release(number);
  }
  uint32_t& place(uint32_t number) { return entries_[number].place; }
  /// The numbers; who holds them must be told again when they are loaded.
  void archive(StateArchive& archive) {
    archive(keys_);
    if (archive.loads()) entries_.assign(keys_.capacity(), Entry{});
  }
  /// Loading: the rows of a batch hold these numbers; there are `rows` of them.
  void hold_again(StateArchive& archive, const std::vector<uint32_t>& numbers, size_t rows,
                  bool placed) {
    if (numbers.size() != rows) archive.fail();
    for (uint32_t i = 0; i < numbers.size() && !archive.failed(); ++i) {
      if (!keys_.is_live(numbers[i])) return archive.fail();
      Entry& entry = entries_[numbers[i]];
      ++entry.holders;
      if (placed) entry.place = i;
    }
  }
  size_t bytes() const { return keys_.bytes() + entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    uint32_t holders = 0;
    uint32_t place = kNoPlace;
  };

  GroupTable keys_;
  std::vector<Entry> entries_;
};

}  // namespace pollux
