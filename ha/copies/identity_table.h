// Which events of duplicated streams have been numbered in the last ten minutes, and how many
// copies of each came to this node: what makes the second copy of an event harmless.
//
// An event that its producer numbers is known by the table of producers (ha/producers) and does not
// stand here. Of the others what was numbered is a function of the entries alone, so it is equal on
// both nodes, lasts with the node's state, and comes back with a replay. Receipts are this
// process's own: the k-th copy of some values that came here is the k-th event of those values. So
// a copy is new when fewer have been numbered, and a repeat otherwise. Each event that is forgotten
// takes one receipt along, so that the two go on to agree.
//
// A node may lead and number by turns: what it numbered and was not committed is taken back. A copy
// whose sender was not told that it is safe does not count as received, since it comes again.
// Thread: any; a lock of its own, within which nothing is called.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/runtime/entry.h"
#include "ha/copies/duplicated_streams.h"

namespace pollux {

/// What is kept of an event that was numbered.
struct NumberedIdentity {
  RowIdentity identity;
  Position position;  ///< of its entry
  int64_t ms = 0;     ///< of its entry
};

struct IdentityLimits {
  int64_t keep_ms = int64_t{10} * 60 * 1000;  ///< of entry time
  size_t identities_max = size_t{1} << 20;    ///< the oldest are forgotten before their time
};

/// A copy that came to the other node, as that one counts: the `beyond`-th of its values that was
/// not numbered by the entry `behind`, or earlier.
struct CopyCount {
  Position behind;
  std::vector<uint32_t> beyond;  ///< one a row, from 1 on
};

class IdentityTable {
 public:
  explicit IdentityTable(DuplicatedStreams streams, IdentityLimits limits = {})
      : streams_(std::move(streams)), limits_(limits) {}

  const DuplicatedStreams& streams() const { return streams_; }
  /// Whether the batch's events are known by identities.
  bool counts(const EventBatch& batch, std::string_view producer) const {
    return producer.empty() && streams_.contains(batch.schema().name());
  }

  // ---- copies that come here ----

  /// Counts them; says of each row the how manieth of its values it is.
  std::vector<uint64_t> receive(std::span<const RowIdentity> rows);
  /// They are as if they had not come.
  void give_back(std::span<const RowIdentity> rows);
  /// Whether the copy, the so manieth of its values, is of an event that was numbered.
  bool is_numbered(const RowIdentity& identity, uint64_t receipt) const;
  /// The how manieth copy it is of those that are not numbered; at least 1.
  uint32_t beyond(const RowIdentity& identity, uint64_t receipt) const;

  // ---- numbering ----

  /// The rows that are of no event yet. `receipts`: one a row, as receive() gave them.
  std::vector<uint32_t> fresh_rows(std::span<const RowIdentity> rows,
                                   std::span<const uint64_t> receipts) const;
  /// The same for copies of the other node.
  std::vector<uint32_t> fresh_rows(std::span<const RowIdentity> rows, const CopyCount& count) const;
  void number(std::span<const RowIdentity> rows, Position position, Timestamp time);
  /// Everything up to this entry is committed: what is too old by it is forgotten.
  void note_committed(Position position, Timestamp time);
  /// What was numbered behind it never was.
  void roll_back(Position position);

  // ---- state ----

  /// As it is behind this entry.
  std::vector<NumberedIdentity> cut(Position position, Timestamp time) const;
  void restore(std::vector<NumberedIdentity> numbered);
  size_t size() const;

 private:
  struct Counts {
    uint64_t forgotten = 0;
    uint32_t numbered = 0;
    uint32_t received = 0;
    Position last;  // of what was numbered
  };
  using Map = std::unordered_map<RowIdentity, Counts, RowIdentityHash>;

  void drop_unused(Map::iterator at);
  std::vector<uint32_t> numbered_behind(std::span<const RowIdentity> rows, Position behind) const;
  void forget_first();

  const DuplicatedStreams streams_;
  const IdentityLimits limits_;
  mutable std::mutex mutex_;
  std::deque<NumberedIdentity> numbered_;  // in the order of entries
  Map counts_;
};

}  // namespace pollux
