// From the values of a row's group-by attributes to a small group number.
//
// Keys are compared as bytes: a single string stands for itself, anything else is encoded with
// tags. Group numbers are reused after release. Thread: the shard's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/hash.h"
#include "engine/base/string_pool.h"
#include "engine/expression/vec.h"
#include "engine/state/state_archive.h"

namespace pollux {

class GroupTable {
 public:
  explicit GroupTable(StringPool& strings) : strings_(strings) {}
  ~GroupTable() { clear(); }
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  static constexpr uint32_t kNone = UINT32_MAX;

  /// The group of a key within a partition instance; made when it is new.
  uint32_t find_or_insert(const StringRef& key, uint32_t instance) {
    return find_or_insert_hashed(key, instance, hash_in(key, instance));
  }

  /// The groups of many keys at once, which hides the time that memory takes to answer.
  /// `instances` may be null: all 0.
  void find_or_insert_many(const StringRef* keys, const uint32_t* instances, uint32_t count,
                           uint32_t* groups);

 private:
  static uint64_t hash_in(const StringRef& key, uint32_t instance) {
    return hash_of(key) + instance * 0x9e3779b97f4a7c15ULL;
  }

  uint32_t find_or_insert_hashed(const StringRef& key, uint32_t instance, uint64_t hash) {
    if (used_ * 2 >= slots_.size()) grow();
    size_t mask = slots_.size() - 1;
    auto tag = static_cast<uint32_t>(hash >> 32);
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.group == kNone) return insert_at(slot, tag, hash, key, instance);
      if (slot.tag == tag) {
        const Group& group = groups_[slot.group];
        if (group.key == key && group.instance == instance) return slot.group;
      }
    }
  }

 public:
  uint32_t find(const StringRef& key, uint32_t instance) const;
  void release(uint32_t group);
  void clear();

  const StringRef& key(uint32_t group) const { return groups_[group].key; }
  uint32_t instance(uint32_t group) const { return groups_[group].instance; }
  /// Group numbers are below this.
  uint32_t capacity() const { return static_cast<uint32_t>(groups_.size()); }
  uint32_t size() const { return used_; }
  bool is_live(uint32_t number) const {
    return number < groups_.size() && find(groups_[number].key, groups_[number].instance) == number;
  }
  /// Groups keep their numbers.
  void archive(StateArchive& archive);
  size_t bytes() const {
    return slots_.capacity() * sizeof(Slot) + groups_.capacity() * sizeof(Group) +
           free_.capacity() * sizeof(uint32_t);
  }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t group = kNone;
  };
  struct Group {
    StringRef key;
    uint64_t hash;
    uint32_t instance;
  };

  uint32_t insert_at(Slot& slot, uint32_t tag, uint64_t hash, const StringRef& key,
                     uint32_t instance);
  void grow();

  StringPool& strings_;
  std::vector<Slot> slots_;
  std::vector<Group> groups_;
  std::vector<uint32_t> free_;
  uint32_t used_ = 0;
};

/// Turns the values of several columns into one key a row.
class KeyEncoder {
 public:
  /// The key of each row, from 0 to rows - 1; valid until the next call. A single string column
  /// without nulls is used as it is.
  const StringRef* encode(const std::vector<Vec>& columns, uint32_t rows);

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<StringRef> keys_;
};

}  // namespace pollux
