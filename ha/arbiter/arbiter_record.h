// The arbiter's record: who leads a domain, and who holds everything that he has committed.
//
// One per domain, changed only by compare-and-set on its version; each success adds one. Journals
// are named, not hosts: a disk that was replaced, restored or emptied has a journal of another id,
// and the record does not name it. Source: the pair protocol, "State". Thread: any.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "ha/base/random_id.h"

namespace pollux {

struct ArbiterRecord {
  DomainId domain;
  uint64_t version = 0;  ///< 0: there is no record
  Epoch epoch;
  JournalId active;
  std::optional<JournalId> in_sync;  ///< nothing: the active runs alone
  /// The tail of the journal that was made active by force: what others have behind it is lost.
  std::optional<EntryId> forced_from;

  bool exists() const { return version != 0; }
  friend bool operator==(const ArbiterRecord&, const ArbiterRecord&) = default;
};

/// Stores keep the version as a signed number.
inline constexpr uint64_t kArbiterVersionMax = std::numeric_limits<int64_t>::max();

/// kInvalidArgument: a record that nobody may write, for it names nobody or has no epoch.
absl::Status check_arbiter_record(const ArbiterRecord& record);

/// One line of JSON with a checksum, for stores and for the operator who reads it there. Equal
/// records are equal bytes.
std::string to_json(const ArbiterRecord& record);
/// Takes only what to_json() gives, and white space behind it. kDataLoss: it is no record, or was
/// changed; kUnimplemented: of a newer version of this program.
absl::StatusOr<ArbiterRecord> arbiter_record_of(std::string_view json);

}  // namespace pollux
