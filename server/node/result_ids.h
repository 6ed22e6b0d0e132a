// Which ids a log has: the last one of each plan, so that what a replay makes again is known, and
// about where each stands, so that it is found. Ids of a plan only grow in its log.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "server/node/result_slice.h"

namespace pollux {

class ResultIds {
 public:
  /// So many of the slice's first rows are not above the last id of its plan.
  uint32_t known_rows(const ResultSlice& slice) const;
  /// The rows of a slice that has its offset, behind all before.
  void add(const ResultSlice& slice);
  /// Ids that are known though their rows do not stand here any more.
  void add_last(const LastIds& ids);
  const LastIds& last() const { return last_; }

  /// Forgets where rows stood that are all below `offset`.
  void forget_below(uint64_t offset);

  struct Range {
    uint64_t from = 0;
    uint64_t to = 0;
  };
  /// If the row stands anywhere, it stands there.
  std::optional<Range> find(const ResultId& id) const;

 private:
  static constexpr uint64_t kBlockRows = 8192;

  struct Block {
    uint64_t first = 0;
    uint64_t end = 0;
    LastIds last;
  };

  LastIds last_;
  std::deque<Block> blocks_;  // in order
};

}  // namespace pollux
