// The last id of each plan in an outbox, kept beside it before segments are trimmed: what a replay
// makes once more must not be taken for new because the rows it repeats were trimmed. Only ids of
// rows that last may stand there, else rows would be missed. Thread: any.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "persistence/files/file_system.h"

namespace pollux {

/// A row among those of its plan.
struct PlanRow {
  EntryId cause;
  uint32_t ordinal = 0;
  friend auto operator<=>(const PlanRow&, const PlanRow&) = default;
};

/// By plan.
using LastIds = std::map<std::string, PlanRow, std::less<>>;

/// The plan's last id is at least this one.
void raise_last_id(LastIds& ids, std::string_view plan, const PlanRow& id);

std::string encode_last_ids(const LastIds& ids);
/// kDataLoss: it is no such file; kFailedPrecondition: of a newer version.
absl::StatusOr<LastIds> decode_last_ids(std::string_view bytes);

/// The file "last_ids"; lasts when the call returns.
absl::Status write_last_ids(FileSystem& files, const std::string& directory, const LastIds& ids);
/// None when there is no such file.
absl::StatusOr<LastIds> read_last_ids(FileSystem& files, const std::string& directory);

}  // namespace pollux
