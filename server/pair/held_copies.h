// Events that came to this node, which does not lead, and that their clients have sent to the other
// one as well: they wait for the entry that has them.
//
// Entries that come as orders are made of them (CopySource). A copy is answered once its events are
// committed; one that stays without a number for two seconds is handed to whoever leads, since its
// other copy may be lost. Thread: any; nothing is called under the lock but the node's table of
// producers and the table of identities.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ha/copies/order_desk.h"
#include "ha/wire/forward.h"
#include "server/node/intake.h"
#include "server/node/node.h"

namespace pollux {

struct HeldLimits {
  size_t copies_max = 16384;  ///< batches
  size_t bytes_max = size_t{64} << 20;
  std::chrono::milliseconds patience{2000};  ///< then it is handed to whoever leads
};

struct HeldCounts {
  uint64_t held = 0;  ///< batches, now
  uint64_t bytes = 0;
  uint64_t forwarded = 0;  ///< batches
};

class HeldCopies final : public CopySource {
 public:
  using Clock = std::chrono::steady_clock;
  using Done = std::function<void(Submitted)>;
  struct Copy {
    Submission submission;
    Done done;
  };
  /// A copy that nobody has numbered, as whoever leads is to get it.
  struct Due {
    uint64_t copy;
    ForwardedBatch batch;
  };

  /// Both outlive it.
  HeldCopies(const Node& node, IdentityTable& identities, HeldLimits limits = {})
      : node_(node), identities_(identities), limits_(limits) {}

  /// Whether events of this stream are sent to both nodes.
  bool holds(const EventBatch& batch) const {
    return identities_.streams().contains(batch.schema().name());
  }
  /// Takes the copy; else `done` is called at once.
  void hold(Copy copy, Clock::time_point now);
  /// An entry is committed, and the tables know it.
  void note_committed(const Entry& entry);
  /// Copies that have waited too long. On the thread of note_committed() only, since what is said
  /// of them is as of the last entry.
  std::vector<Due> due(Clock::time_point now);
  /// What whoever leads said of one; nothing where it has been answered since.
  void answer(uint64_t copy, Submitted submitted);
  /// All that waits: they are held no longer, and as if they had not come.
  std::vector<Copy> take_all();

  Look look(const EventsOrder& order, Entry& entry) override;
  HeldCounts counts() const;

 private:
  struct Held {
    Copy copy;
    std::vector<RowIdentity> rows;   // one a row; empty where a producer numbers
    std::vector<uint64_t> receipts;  // the same
    std::vector<bool> open;          // not committed yet; the same
    size_t rows_open = 0;
    Clock::time_point since;
    size_t bytes = 0;
    bool forwarded = false;
  };
  using HeldMap = std::map<uint64_t, Held>;
  struct Row {
    uint64_t copy;
    uint32_t row;
  };
  using Rows = std::unordered_map<RowIdentity, std::vector<Row>, RowIdentityHash>;
  using Number = std::pair<std::string, uint64_t>;

  std::optional<Submitted> judge(const Submission& submission) const;
  bool enlist(uint64_t copy, Held& held);
  void drop_row(const RowIdentity& identity, Row row);
  Copy drop(HeldMap::iterator at);
  void note_number(const EventsPayload& events, std::vector<Copy>& answered);
  void note_rows(const EventBatch& batch, std::vector<Copy>& answered);
  ForwardedBatch batch_of(const Held& held, Position behind) const;
  std::shared_ptr<EventBatch> events_of(const EventsOrder& order) const;

  const Node& node_;
  IdentityTable& identities_;
  const HeldLimits limits_;

  mutable std::mutex mutex_;
  uint64_t last_ = 0;
  HeldMap held_;  // in the order of arrival
  Rows rows_;
  std::map<Number, std::vector<uint64_t>> numbers_;
  HeldCounts counts_;
};

}  // namespace pollux
