// What a node of a pair says of itself at a start, before its first step in the network (R9).
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "ha/pair/pair_file.h"
#include "persistence/journal/journal.h"

namespace pollux {

/// The state in `file`, brought together with the journal as it was opened; it stands there when
/// the call returns. A new journal id is taken where there is no file, where the journal is not the
/// one that the id vouched for, where what was not synced may be gone (`power_lost`), where some of
/// it has rotted, and where it ends before an entry that was committed. While
/// `installing` is set everything that is there is void, and the caller takes it away.
absl::StatusOr<PairState> begin_pair_state(PairFile& file, const Journal& journal, bool power_lost,
                                           Position committed,
                                           const std::function<JournalId()>& new_id);

}  // namespace pollux
