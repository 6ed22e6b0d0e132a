#include "ha/pair/pair_start.h"

namespace pollux {

absl::StatusOr<PairState> begin_pair_state(PairFile& file, const Journal& journal, bool power_lost,
                                           Position committed,
                                           const std::function<JournalId()>& new_id) {
  absl::StatusOr<std::optional<PairState>> read = file.read();
  if (!read.ok()) return read.status();
  PairState before = read->value_or(PairState{});
  PairState state = before;
  if (!*read) {
    // A node that ran alone led all epochs that stand in its journal.
    state.led = journal.last().epoch;
  }
  bool vouched = *read && state.log == journal.id() && !(state.unsynced && power_lost) &&
                 committed <= journal.last().position && journal.report().rot.empty();
  // With a snapshot half installed the id was new already, and vouches for nothing yet.
  if (!vouched && !state.installing) state.journal = new_id();
  state.log = journal.id();
  state.unsynced = false;
  if (*read && state == before) return state;
  if (absl::Status written = file.write(state); !written.ok()) return written;
  return state;
}

}  // namespace pollux
