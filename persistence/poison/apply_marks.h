// Which entry each plan is at work on, in a memory-mapped page that outlives the process.
//
// A plan's mark is set before an entry is applied and cleared behind it. A process that finds a
// mark set knows that one before it died during that entry; an entry during which two have died is
// poisoned for that plan. Marks survive the process, not the machine: after a loss of power they
// may be older than what happened, which only costs another death. An entry that was applied clears
// what was noted of the deaths before.
// Thread: find() and poisoned() one at a time; a Mark is its plan's thread's.
#pragma once

#include <cstdint>
#include <memory>
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
  };
  struct Poisoned {
    std::string plan;
    EntryId entry;
  };

  /// Maps the file, made when it is not there, and takes note of the marks that are set.
  /// kFailedPrecondition: it is of a newer version, or no such file; the disk's errors.
  static absl::StatusOr<std::unique_ptr<ApplyMarks>> open(const std::string& path);
  ~ApplyMarks();
  ApplyMarks(const ApplyMarks&) = delete;
  ApplyMarks& operator=(const ApplyMarks&) = delete;

  /// Entries that two processes died in, by plan.
  std::vector<Poisoned> poisoned() const;
  /// The plan's mark; null when its name is too long or there are too many plans.
  Mark* find(std::string_view plan);
  /// The plan is gone, with all that was noted of it.
  void forget(std::string_view plan);

 private:
  struct Page;
  explicit ApplyMarks(Page* page) : page_(page) {}
  void count_deaths();

  Page* page_;
};

}  // namespace pollux
