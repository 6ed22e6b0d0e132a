// Numbers of producers whose entries are not committed yet: what the table of producers will hold
// once they are, or never, when the lead ends first.
//
// A repeat of such a batch is acknowledged with the entry that carries it, not when it is
// recognised. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ha/producers/producer_table.h"

namespace pollux {

class NumbersInFlight {
 public:
  /// As the table judges, with what is in flight on top of it.
  ProducerTable::Judged judge(const ProducerTable& table, std::string_view producer,
                              uint64_t number) const;
  void take(std::string_view producer, uint64_t number, EntryId entry) {
    latest_.insert_or_assign(std::string(producer), Latest{number, entry});
  }
  /// The entry is committed, and its number stands in the table.
  void committed(std::string_view producer, EntryId entry);
  /// The lead has ended.
  void clear() { latest_.clear(); }

 private:
  struct Latest {
    uint64_t number = 0;
    EntryId entry;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, Latest, Hash, std::equal_to<>> latest_;
};

}  // namespace pollux
