// The last number of each producer, which makes a re-send harmless.
//
// A producer begins with 1 and counts up by one a batch. One that was not heard of for long is
// forgotten; its next number is then refused unless it is 1 under another name. What the table
// holds is a function of the batches taken, and of nothing else, so that it is equal on both nodes.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/state/state_archive.h"
#include "engine/types/ids.h"

namespace pollux {

class ProducerTable {
 public:
  enum class Verdict : uint8_t {
    kNext,       ///< to be taken
    kSeen,       ///< was taken before: no effect
    kOutOfTurn,  ///< a number was left out
    kTooMany,    ///< a new producer, and the table is full
  };
  struct Judged {
    Verdict verdict = Verdict::kNext;
    uint64_t expected = 1;  ///< the next number
    EntryId last;           ///< kSeen: the entry that carried the latest number
  };

  ProducerTable(int64_t forget_after_ms, size_t producers_max)
      : forget_after_ms_(forget_after_ms), producers_max_(producers_max) {}

  Judged judge(std::string_view producer, uint64_t number) const;
  /// `now_ms`: of the entry.
  void take(std::string_view producer, uint64_t number, EntryId entry, int64_t now_ms);

  size_t size() const { return producers_.size(); }

  /// Saves all producers, by name, or takes those that were saved in their place.
  void archive(StateArchive& archive);

 private:
  struct Producer {
    uint64_t last = 0;
    EntryId entry;
    int64_t heard_ms = 0;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void forget(int64_t now_ms);

  int64_t forget_after_ms_;
  size_t producers_max_;
  std::unordered_map<std::string, Producer, Hash, std::equal_to<>> producers_;
  int64_t next_forget_ms_ = 0;
};

}  // namespace pollux
