// What a node of a pair does to its journal: it takes back entries that the other does not have,
// and drops all of them for a state that the other sends.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/persistence/sim/simulation.h"

namespace pollux {

/// Entries come of which nobody knows yet whether they stay. Some are agreed on; those behind are
/// cut, and others take their places.
absl::Status Simulation::take_back() {
  uint64_t epoch_before = epoch_;
  epoch_ += below(3);
  for (uint64_t groups = 1 + below(8); groups > 0; --groups) {
    for (uint64_t many = 1 + below(8); many > 0; --many) {
      absl::Status taken = offer(some_entry(node_->last() + 1, epoch_, below(1000)));
      if (!taken.ok()) return taken;
    }
    if (groups == 1 && one_in(3)) break;  // the last ones are cut before they are written
    if (absl::Status lasts = node_->keep(); !lasts.ok()) return lasts;
    model_.acknowledge();
  }
  const Journal& journal = node_->journal();
  uint64_t applied = node_->state().at.position.value;
  uint64_t last = applied + below(node_->last() - applied + 1);
  // Two readers on their way, which may have read ahead what is cut: that of the state, and one.
  uint64_t readable = std::min(last, journal.index()->readable() - 1);
  uint64_t stands = journal.first().value + below(readable + 2 - journal.first().value);
  JournalReader reader(files_, journal.index(), {stands});
  for (uint64_t more = below(readable + 2 - stands); more > 0; --more, ++stands) {
    if (auto entry = reader.next(); !entry.ok()) return entry.status();
  }
  absl::Status caught_up = node_->apply_until(applied + below(readable - applied + 1));
  if (!caught_up.ok()) return caught_up;

  end_inside();
  model_.begin_cut(last);
  if (absl::Status cut = node_->truncate({last}); !cut.ok()) return cut;
  model_.end_cut(last);
  ++counts_.cuts;
  if (node_->last() != last) throw Violation("the journal was cut elsewhere");
  epoch_ = std::max(epoch_before, journal.last().epoch.value) + 1;
  check_epochs();
  if (one_in(4)) {
    end(Crash::kPower);
    start();
    return absl::OkStatus();
  }
  if (absl::Status written = write_group(); !written.ok()) return written;
  if (absl::Status read = read_rest(reader, stands); !read.ok()) {
    throw Violation(absl::StrCat("a reader that stood before the cut: ", read.ToString()));
  }
  return absl::OkStatus();
}

/// Now and then the machine ends in the middle of what comes next.
void Simulation::end_inside() {
  if (options_.profile.weights[static_cast<size_t>(Fault::kPowerInside)] == 0 || !one_in(8)) return;
  inside_ = one_in(3) ? Crash::kProcess : Crash::kPower;
  disk_.crash_after(below(12));
}

/// Others have gone on, and what they sent was too much for their journals to keep.
absl::Status Simulation::install_snapshot() {
  if (absl::Status lasts = commit(); !lasts.ok()) return lasts;
  disk_.set_capacity(SimulatedFileSystem::kNever);  // else it would wait for room
  ++epoch_;
  for (uint64_t many = 1 + below(40); many > 0; --many) {
    model_.offer(some_entry(model_.offered() + 1, epoch_, below(1000)));
  }
  node_options_.snapshot = model_.state(model_.offered());
  const Journal& journal = node_->journal();
  LogId id = journal.id();
  JournalReader reader(files_, journal.index(), journal.first());
  end_inside();
  absl::Status installed = node_->install(*node_options_.snapshot);
  if (!installed.ok()) return installed;  // the next start finds out how far it came
  check_snapshot();
  check_epochs();
  model_.acknowledge();
  ++counts_.snapshots;
  if (journal.id() == id) throw Violation("another journal has the same id");
  if (!absl::IsOutOfRange(reader.next().status())) {
    throw Violation("a reader goes on in a journal that was dropped");
  }
  return absl::OkStatus();
}

/// Whether it is there; then there is nothing before it to go back to.
void Simulation::check_snapshot() {
  std::optional<ModelState> snapshot = std::exchange(node_options_.snapshot, std::nullopt);
  if (!snapshot || snapshot->at != node_->state().at) return;
  confirmed_below_ = std::max(confirmed_below_, snapshot->next_result);
  whole_ = {snapshot->at.position.value};
}

}  // namespace pollux
