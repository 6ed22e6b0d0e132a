// The epoch of this start of the node: one more than that of the start before, so that no id is
// ever given twice.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/types/ids.h"

namespace pollux {

/// Reads the last epoch in `directory` (made when it is not there), writes the next one durably and
/// returns it; it is also above `seen`. Fails when the directory cannot be written or the file does
/// not hold an epoch.
absl::StatusOr<Epoch> begin_epoch(const std::string& directory, Epoch seen = {});

}  // namespace pollux
