// Which entry each plan is at work on, in a memory-mapped page that outlives the process.
//
// A plan's mark is set before an entry is applied and cleared behind it. A process that finds a
// mark set knows that one before it died during that entry; an entry during which two have died is
// poisoned for that plan, and stays noted as long as it can come again, whatever the plan takes
// behind it. A single death is forgotten once that entry, or one behind it, was applied after all:
// a replay begins before it. Marks survive the process, not the machine: after a loss of power they
// may be older than what happened, which only costs another death.
//
// Nodes of a pair tell each other what they know. Deaths of the other node count together with a
// plan's own where this node is the first to apply an entry; where it follows, whoever leads has
// judged already, and tells what is poisoned before that is applied here.
// Thread: any, but for what says otherwise; a Mark is its plan's thread's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/ids.h"

namespace pollux {

class ApplyMarks {
 public:
  static constexpr uint32_t kDeathsMax = 2;
  static constexpr size_t kPlansMax = 4096;
  static constexpr size_t kNameBytesMax = 208;

  /// A slot of the page. Frozen: stands in the file.
  struct Mark {
    uint64_t epoch;  ///< of the entry that is being applied; 0: none is
    uint64_t position;
    uint64_t died_epoch;  ///< of the entry that processes died in
    uint64_t died_position;
    uint32_t deaths;
    uint32_t name_bytes;  ///< 0: the slot is free
    char name[kNameBytesMax];

    void begin(EntryId entry);
    void end();
    /// A process died in it, once so far.
    bool suspects(EntryId entry) const;
    /// The entry that is being applied is one that a process died in.
    void note_death();
  };
  struct Poisoned {
    std::string plan;
    EntryId entry;
  };
  /// What is known of an entry for a plan. With kDeathsMax it is poisoned.
  struct Deaths {
    std::string plan;
    EntryId entry;
    uint32_t deaths = 0;
  };
  /// What a plan's thread has looked up, see passes_over().
  struct Known {
    uint64_t changes = 0;
    std::vector<Deaths> deaths;  ///< poisoned, or of the other node
  };

  /// Maps the file, made when it is not there. What stands in it stays as it is.
  /// kFailedPrecondition: it is of a newer version, or no such file; the disk's errors.
  static absl::StatusOr<std::unique_ptr<ApplyMarks>> open(const std::string& path);
  ~ApplyMarks();
  ApplyMarks(const ApplyMarks&) = delete;
  ApplyMarks& operator=(const ApplyMarks&) = delete;

  /// Takes note of the marks that are set, and forgets what is known of entries below `first`,
  /// which will not come again. Once, before all that follows.
  void note_deaths(Position first);
  /// Entries that two processes died in, by plan; as the start found them.
  std::vector<Poisoned> poisoned() const;
  /// The plan's mark; null when its name is too long or there are too many plans.
  Mark* find(std::string_view plan);

  // ---- a node of a pair ----

  /// What the other node is to know: what the start found, and what was poisoned since.
  std::vector<Deaths> to_tell() const;
  /// What the other node knows. What is poisoned there lasts here.
  void note_told(const Deaths& deaths);
  /// Whether this node is the first to apply entries.
  void set_first(bool first) { first_.store(first, std::memory_order_release); }
  /// Called, with a lock held, before an entry is passed over that this node has judged itself.
  void set_on_poisoned(std::function<void(const Deaths&)> on_poisoned);
  /// Whether a plan is to pass over the entry. Thread: the plan's; `mark` and `known` are its own,
  /// `mark` may be null.
  bool passes_over(std::string_view plan, EntryId entry, const Mark* mark, Known& known);

  /// Held while an entry is applied that is under suspicion: of several plans that were at work on
  /// it when a process died, only the one that is to blame is found at work twice.
  std::mutex& one_suspect() { return one_suspect_; }

 private:
  struct Page;
  explicit ApplyMarks(Page* page) : page_(page) {}

  Mark* free_slot();
  void poison(const Deaths& deaths);

  Page* page_;
  std::mutex one_suspect_;
  std::atomic<bool> first_ = false;
  std::atomic<uint64_t> changes_ = 1;  // of what passes_over() looks up

  mutable std::mutex mutex_;      // also of free slots
  std::vector<Deaths> found_;     // by the start
  std::vector<Deaths> poisoned_;  // since the start
  std::vector<Deaths> told_;      // by the other node, and not poisoned
  std::function<void(const Deaths&)> on_poisoned_;
};

}  // namespace pollux
