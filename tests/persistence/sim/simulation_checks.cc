// What must be true whenever the node works.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/persistence/sim/simulation.h"

namespace pollux {

void Simulation::check_recovered() {
  model_.recovered(node_->last());
  if (node_->state() != model_.state(node_->last())) {
    throw Violation(absl::StrCat("the state at ", node_->last(),
                                 " is not that of the entries: revision and journal differ"));
  }
  check_snapshot();
  epoch_ = std::max(epoch_, node_->journal().last().epoch.value) + 1;
  began_rotten_ = flipped_.has_value();
  check_epochs();
  if (flipped_) check_rotten_log();
  if (one_in(6)) check_journal();
  if (one_in(2)) take_results();
}

void Simulation::check_journal() {
  if (absl::Status read = read_journal(); !read.ok()) throw Violation(read.ToString());
}

void Simulation::check_epochs() {
  const Journal& journal = node_->journal();
  if (began_rotten_) return;  // the last entry of an epoch may be what cannot be read
  if (journal.epoch_ends() != model_.epoch_ends(journal.first().value - 1)) {
    throw Violation("the ends of the epochs are others");
  }
}

/// Every entry from the first one that is there, once and in order.
absl::Status Simulation::read_journal() {
  Position first = node_->journal().first();
  JournalReader reader(files_, node_->journal().index(), first);
  return read_rest(reader, first.value);
}

/// `next`: where the reader stands.
absl::Status Simulation::read_rest(JournalReader& reader, uint64_t next) {
  while (true) {
    auto entry = reader.next();
    if (!entry.ok()) return entry.status();
    if (!*entry) break;
    if ((*entry)->id.position.value != next || fingerprint(**entry) != model_.print(next)) {
      throw Violation(absl::StrCat("the journal has another entry ", next));
    }
    ++next;
  }
  if (next != node_->last() + 1) throw Violation("the journal ends early");
  return absl::OkStatus();
}

void Simulation::check_slice(const OutboxSlice& slice) {
  uint64_t position = slice.cause.position.value;
  if (position == 0 || position > node_->journal().durable().value) {
    throw Violation("results of an entry that is not committed");
  }
  const ModelState& before = model_.state(position - 1);
  SomeResults wanted = results_of(model_.state(position).at, model_.print(position));
  if (slice.first != before.next_result || slice.cause != wanted.cause ||
      slice.ordinals != wanted.ordinals ||
      slice.batch->timestamps() != wanted.batch->timestamps() ||
      slice.batch->column(0).data<int64_t>()[0] != wanted.batch->column(0).data<int64_t>()[0]) {
    throw Violation(absl::StrCat("other results of entry ", position));
  }
}

/// All from the row `from` on, without a gap; adds the offset behind each slice to `ends`.
absl::Status Simulation::read_results(uint64_t from, std::vector<uint64_t>* ends) {
  OutboxReader reader(files_, node_->outbox().index(), from);
  uint64_t next = from;
  while (true) {
    auto slice = reader.next();
    if (!slice.ok()) return slice.status();
    if (!*slice) break;
    check_slice(**slice);
    if ((*slice)->first > next) throw Violation("a gap in the results");
    next = (*slice)->first + (*slice)->ordinals.size();
    if (ends != nullptr) ends->push_back(next);
  }
  if (next < node_->state().next_result) throw Violation("the results end early");
  return absl::OkStatus();
}

/// Somebody takes results from where they were confirmed last, and confirms some of them.
void Simulation::take_results() {
  std::vector<uint64_t> ends;
  absl::Status read = read_results(confirmed_below_, &ends);
  if (!read.ok()) throw Violation(absl::StrCat("unconfirmed results: ", read.ToString()));
  if (!ends.empty()) confirmed_below_ = ends[below(ends.size())];
}

void Simulation::check_foreign() {
  for (const auto& [path, bytes] : foreign_) {
    if (disk_.content(path) != bytes) throw Violation(absl::StrCat(path, " was not left alone"));
  }
}

}  // namespace pollux
