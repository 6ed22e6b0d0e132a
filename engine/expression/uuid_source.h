// Numbers for UUID(): a pure function of the plan's name, the entry and how many the entry has had.
//
// Both nodes of a pair make the same ones. They look like random (version 4) UUIDs. Thread: the
// shard's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/types/ids.h"

namespace pollux {

class UuidSource {
 public:
  void set_plan(std::string_view name);
  /// What follows belongs to this entry.
  void begin_entry(EntryId entry) {
    entry_ = entry;
    made_ = 0;
  }
  /// The next one: 36 characters.
  std::string next();

 private:
  uint64_t plan_ = 0;
  EntryId entry_;
  uint64_t made_ = 0;
};

}  // namespace pollux
