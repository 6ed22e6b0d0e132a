// The journal that both nodes have in common, as what a sequencer commits to.
//
// Thread: any. Before attach() and behind detach() there is no room, and whatever is appended is
// told so at once.
#pragma once

#include <mutex>

#include "ha/driver/pair_driver.h"
#include "server/node/entry_log.h"

namespace pollux {

class PairLog final : public EntryLog {
 public:
  /// The driver outlives detach().
  void attach(PairDriver& driver);
  void detach();

  absl::Status room_for(size_t bytes) const override;
  bool is_full(size_t bytes) const override;
  void append(Entry entry, size_t bytes, Committed committed) override;
  void behind(Reached reached) override;
  void trim(Position below) override;
  EntryLogCounts counts() const override;

 private:
  PairDriver* driver() const;

  mutable std::mutex mutex_;
  PairDriver* driver_ = nullptr;
};

}  // namespace pollux
