#include "engine/operators/group_table.h"

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace pollux {

uint32_t GroupTable::insert_at(Slot& slot, uint32_t tag, uint64_t hash, const StringRef& key,
                               uint32_t instance) {
  uint32_t number = 0;
  Group group{strings_.store(key), hash, instance};
  if (free_.empty()) {
    number = static_cast<uint32_t>(groups_.size());
    groups_.push_back(group);
  } else {
    number = free_.back();
    free_.pop_back();
    groups_[number] = group;
  }
  slot = {tag, number};
  ++used_;
  return number;
}

void GroupTable::grow() {
  std::vector<Slot> larger(slots_.empty() ? 16 : slots_.size() * 2);
  size_t mask = larger.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.group == kNone) continue;
    size_t at = groups_[slot.group].hash & mask;
    while (larger[at].group != kNone) at = (at + 1) & mask;
    larger[at] = slot;
  }
  slots_ = std::move(larger);
}

void GroupTable::find_or_insert_many(const StringRef* keys, const uint32_t* instances,
                                     uint32_t count, uint32_t* groups) {
  constexpr uint32_t kBlock = 32;
  constexpr size_t kInCacheSlots = 1024;  // such a table answers at once
  if (count == 1 || slots_.size() <= kInCacheSlots) {
    for (uint32_t i = 0; i < count; ++i) {
      groups[i] = find_or_insert(keys[i], instances != nullptr ? instances[i] : 0);
    }
    return;
  }
  uint64_t hashes[kBlock];
  for (uint32_t begin = 0; begin < count; begin += kBlock) {
    uint32_t rows = std::min(kBlock, count - begin);
    size_t mask = slots_.size() - 1;
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t instance = instances != nullptr ? instances[begin + i] : 0;
      hashes[i] = hash_in(keys[begin + i], instance);
      __builtin_prefetch(&slots_[hashes[i] & mask]);
    }
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t group = slots_[hashes[i] & mask].group;
      if (group != kNone) __builtin_prefetch(&groups_[group]);
    }
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t group = slots_[hashes[i] & mask].group;
      if (group != kNone) __builtin_prefetch(groups_[group].key.data());
    }
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t instance = instances != nullptr ? instances[begin + i] : 0;
      groups[begin + i] = find_or_insert_hashed(keys[begin + i], instance, hashes[i]);
    }
  }
}

uint32_t GroupTable::find(const StringRef& key, uint32_t instance) const {
  if (slots_.empty()) return kNone;
  uint64_t hash = hash_of(key) + instance * 0x9e3779b97f4a7c15ULL;
  size_t mask = slots_.size() - 1;
  auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t at = hash & mask; slots_[at].group != kNone; at = (at + 1) & mask) {
    if (slots_[at].tag != tag) continue;
    const Group& group = groups_[slots_[at].group];
    if (group.key == key && group.instance == instance) return slots_[at].group;
  }
  return kNone;
}

void GroupTable::release(uint32_t number) {
  size_t mask = slots_.size() - 1;
  size_t at = groups_[number].hash & mask;
  while (slots_[at].group != number) {
    POLLUX_CHECK(slots_[at].group != kNone);
    at = (at + 1) & mask;
  }
  // Close the gap: move back whatever would no longer be found.
  size_t gap = at;
  for (size_t next = (gap + 1) & mask; slots_[next].group != kNone; next = (next + 1) & mask) {
    size_t home = groups_[slots_[next].group].hash & mask;
    if (((next - home) & mask) >= ((next - gap) & mask)) {
      slots_[gap] = slots_[next];
      gap = next;
    }
  }
  slots_[gap] = Slot{};
  strings_.release(groups_[number].key);
  groups_[number].key = StringRef();
  free_.push_back(number);
  --used_;
}

void GroupTable::archive(StateArchive& archive) {
  if (archive.loads()) clear();
  uint32_t groups = archive.count(groups_.size());
  if (archive.loads()) groups_.resize(groups, Group{StringRef(), 0, 0});
  archive.list(free_, [&](uint32_t& group) { archive.index(group, groups); });
  if (archive.loads()) {
    size_t used = groups - std::min<size_t>(free_.size(), groups);
    slots_.resize(std::max(slots_.size(), std::bit_ceil(used * 2 + 2)));
  }
  std::vector<bool> is_free(groups, false);
  for (uint32_t group : free_) is_free[group] = true;
  for (uint32_t number = 0; number < groups; ++number) {
    if (is_free[number]) continue;
    Group& group = groups_[number];
    archive.text(group.key, strings_);
    archive(group.instance);
    if (!archive.loads()) continue;
    group.hash = hash_in(group.key, group.instance);
    if (find(group.key, group.instance) != kNone) archive.fail();
    if (++used_ * 2 >= slots_.size()) grow();
    size_t mask = slots_.size() - 1;
    size_t at = group.hash & mask;
    while (slots_[at].group != kNone) at = (at + 1) & mask;
    slots_[at] = {static_cast<uint32_t>(group.hash >> 32), number};
  }
}

void GroupTable::clear() {
  for (const Slot& slot : slots_) {
    if (slot.group != kNone) strings_.release(groups_[slot.group].key);
  }
  std::fill(slots_.begin(), slots_.end(), Slot{});
  groups_.clear();
  free_.clear();
  used_ = 0;
}

const StringRef* KeyEncoder::encode(const std::vector<Vec>& columns, uint32_t rows) {
  if (columns.size() == 1 && columns[0].type == AttributeType::kString &&
      columns[0].nulls == nullptr && !columns[0].constant) {
    return columns[0].as<StringRef>();
  }
  bytes_.clear();
  ends_.clear();
  for (uint32_t i = 0; i < rows; ++i) {
    for (const Vec& column : columns) {
      // A lone string with nulls about must equal itself in a batch without nulls; its null is a
      // byte that no UTF-8 text holds.
      bool bare = columns.size() == 1 && column.type == AttributeType::kString;
      if (column.is_null(i)) {
        bytes_.push_back(bare ? '\xff' : '\0');
        continue;
      }
      if (!bare) bytes_.push_back(static_cast<char>(column.type));
      switch (width_of(column.type)) {
        case 1:
          bytes_.push_back(static_cast<char>(column.at<uint8_t>(i)));
          break;
        case 4:
          bytes_.append(reinterpret_cast<const char*>(&column.at<uint32_t>(i)), 4);
          break;
        case 8:
          bytes_.append(reinterpret_cast<const char*>(&column.at<uint64_t>(i)), 8);
          break;
        default: {
          std::string_view text = column.at<StringRef>(i).view();
          auto size = static_cast<uint32_t>(text.size());
          if (!bare) bytes_.append(reinterpret_cast<const char*>(&size), 4);
          bytes_.append(text);
        }
      }
    }
    ends_.push_back(bytes_.size());
  }
  keys_.resize(rows);
  size_t begin = 0;
  for (uint32_t i = 0; i < rows; ++i) {
    keys_[i] = StringRef(std::string_view(bytes_).substr(begin, ends_[i] - begin));
    begin = ends_[i];
  }
  return keys_.data();
}

}  // namespace pollux
