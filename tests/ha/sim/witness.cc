#include "tests/ha/sim/witness.h"

#include "absl/strings/str_cat.h"
#include "engine/runtime/engine.h"
#include "tests/ha/sim/sim_plan.h"

namespace pollux {
namespace {

std::string text_of(EntryId id) { return absl::StrCat(id.epoch.value, ".", id.position.value); }
std::string text_of(const PlanRow& id) { return absl::StrCat(text_of(id.cause), ".", id.ordinal); }

class Rows : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override {
    for (uint32_t row = 0; row < results.batch->rows(); ++row) {
      rows.push_back({{results.cause, results.ordinals[row]}, content_of(*results.batch, row)});
    }
  }
  std::vector<SimRow> rows;
};

void compare(const std::vector<SimRow>& expected, const std::vector<SimRow>& seen,
             const char* sink) {
  for (size_t i = 0; i < expected.size() && i < seen.size(); ++i) {
    if (expected[i].id != seen[i].id) {
      throw Violation(absl::StrCat(sink, ": result ", text_of(seen[i].id), " came where ",
                                   text_of(expected[i].id), " was due"));
    }
    if (expected[i].content != seen[i].content) {
      throw Violation(absl::StrCat(sink, ": result ", text_of(seen[i].id), " has another content"));
    }
  }
  if (seen.size() < expected.size()) {
    throw Violation(absl::StrCat("I4b ", sink, ": result ", text_of(expected[seen.size()].id),
                                 " is missing, and ", expected.size() - seen.size() - 1, " more"));
  }
  if (seen.size() > expected.size()) {
    throw Violation(
        absl::StrCat(sink, ": result ", text_of(seen[expected.size()].id), " came of nothing"));
  }
}

}  // namespace

void Witness::lead_began(Place, Epoch epoch, const EpochHistory& journal) {
  if (!epochs_.insert(epoch.value).second) {
    throw Violation(absl::StrCat("I0 two leads in epoch ", epoch.value));
  }
  if (EpochHistory::match(journal, history_) != history_.last()) {
    throw Violation(absl::StrCat(
        "I1 who leads epoch ", epoch.value, " lacks committed entries: it has up to ",
        text_of(EpochHistory::match(journal, history_)), " of ", text_of(history_.last())));
  }
  lead_tails_[epoch.value] = journal.last().position.value;
}

void Witness::committed(const EpochHistory& journal, Position upto) {
  Position known = history_.last().position;
  Position shared{std::min(known.value, upto.value)};
  EntryId match = EpochHistory::match(journal, history_);
  if (match.position < shared) {
    throw Violation(
        absl::StrCat("I2 another entry is committed at position ", match.position.value + 1));
  }
  for (Position next{known.value + 1}; next <= upto; ++next.value) {
    history_.append(journal.at(next));
  }
}

void Witness::in_sync_holds(const EpochHistory& journal, Position durable) const {
  EntryId match = EpochHistory::match(journal, history_);
  if (match != history_.last() || durable < match.position) {
    throw Violation(absl::StrCat("I5 who is in sync lacks committed entries: it has up to ",
                                 std::min(match.position, durable).value, " of ",
                                 text_of(history_.last())));
  }
}

void Witness::applied(const Entry& entry) {
  uint64_t position = entry.id.position.value;
  uint64_t print = fingerprint(entry);
  if (position <= prints_.size()) {
    if (prints_[position - 1] != print) {
      throw Violation(absl::StrCat("two different entries are applied at position ", position));
    }
    return;
  }
  if (position != prints_.size() + 1) {
    throw Violation(absl::StrCat("entry ", position, " is applied before those before it"));
  }
  prints_.push_back(print);
  entries_.push_back(entry);
}

void Witness::state_at(EntryId at, uint64_t hash) {
  auto [known, is_new] = states_.try_emplace(at, hash);
  if (!is_new && known->second != hash && !states_differ_) {
    throw Violation(absl::StrCat("the nodes' states differ behind entry ", text_of(at)));
  }
}

void Witness::forced(const EpochHistory& journal) {
  Position kept = EpochHistory::match(journal, history_).position;
  if (kept == history_.last().position) return;
  voided_.push_back(history_);
  history_.truncate(kept);
  prints_.resize(std::min<size_t>(prints_.size(), kept.value));
  entries_.resize(prints_.size());
  std::erase_if(acknowledged_, [&](const auto& batch) { return batch.second.position > kept; });
  std::erase_if(states_, [&](const auto& state) { return state.first.position > kept; });
  while (!webhook_.empty() && webhook_.back().id.cause.position > kept) {
    webhook_void_ = std::max(webhook_void_, webhook_.back().id);
    webhook_.pop_back();
  }
}

bool Witness::holds_void(const EpochHistory& journal) const {
  Position agreed = EpochHistory::match(journal, history_).position;
  for (const EpochHistory& history : voided_) {
    if (EpochHistory::match(journal, history).position > agreed) return true;
  }
  return false;
}

void Witness::store_rolled_back(const PlanRow& to) {
  while (!store_.empty() && store_.back().id > to) store_.pop_back();
}

bool Witness::is_void(EntryId entry) const {
  for (const EpochHistory& history : voided_) {
    if (history.holds(entry)) return !history_.holds(entry);
  }
  return false;
}

void Witness::acknowledged(const std::string& producer, uint64_t number, EntryId entry) {
  if (entry.position > history_.last().position) {
    throw Violation(absl::StrCat("P1 batch ", number, " of ", producer,
                                 " was acknowledged before its entry ", text_of(entry),
                                 " was committed"));
  }
  acknowledged_.try_emplace({producer, number}, entry);
}

void Witness::check_committed(const SimRow& row, const char* sink) const {
  EntryId cause = row.id.cause;
  if (!history_.holds(cause)) {
    throw Violation(absl::StrCat("I4 ", sink, ": result ", text_of(row.id),
                                 " is of an entry that is not committed"));
  }
}

void Witness::at_webhook(Place, Epoch epoch, const SimRow& row) {
  if (is_void(row.id.cause)) return;  // on its way while the other lead was forced
  check_committed(row, "webhook");
  auto [known, is_new] = contents_.try_emplace(row.id, row.content);
  if (!is_new && known->second != row.content) {
    throw Violation(absl::StrCat("P3 result ", text_of(row.id), " has two contents"));
  }
  auto later = lead_tails_.upper_bound(epoch.value);
  if (later != lead_tails_.end() && row.id.cause.position.value > later->second) {
    throw Violation(absl::StrCat("I3 an old active of epoch ", epoch.value, " lets out ",
                                 text_of(row.id), ", behind what epoch ", later->first,
                                 " began with"));
  }
  // A consumer drops what is not greater than the greatest it has seen.
  if (!webhook_.empty() && row.id <= webhook_.back().id) {
    ++repeated_rows_;
    return;
  }
  webhook_.push_back(row);
}

void Witness::at_store(const SimRow& row) {
  if (!is_void(row.id.cause)) check_committed(row, "store");
  if (!store_.empty() && row.id <= store_.back().id) {
    throw Violation(absl::StrCat("I3s result ", text_of(row.id), " was stored twice"));
  }
  store_.push_back(row);
}

void Witness::judge() const {
  std::map<std::pair<std::string, uint64_t>, uint64_t> taken;
  Engine engine(sim_engine_options());
  Rows expected;
  for (const Entry& entry : entries_) {
    engine.apply(entry, expected);
    const auto* events = std::get_if<EventsPayload>(&entry.payload);
    if (events != nullptr && !events->producer.empty()) ++taken[{events->producer, events->number}];
  }
  if (entries_.size() != history_.last().position.value) {
    throw Violation("what is committed was not applied");
  }
  for (const auto& [batch, times] : taken) {
    if (times > 1) {
      throw Violation(absl::StrCat("P2 batch ", batch.second, " of ", batch.first, " was taken ",
                                   times, " times"));
    }
  }
  for (const auto& [batch, entry] : acknowledged_) {
    if (!taken.contains(batch)) {
      throw Violation(absl::StrCat("P1 batch ", batch.second, " of ", batch.first,
                                   " was acknowledged and is lost"));
    }
  }
  compare(expected.rows, store_, "store");
  // What only the forced journal had, of epochs before what the lost one had let out, is not
  // greater than what consumers have seen, and no sender brings it.
  std::set<PlanRow> seen;
  for (const SimRow& row : webhook_) seen.insert(row.id);
  std::erase_if(expected.rows, [&](const SimRow& row) {
    return row.id <= webhook_void_ && !seen.contains(row.id);
  });
  compare(expected.rows, webhook_, "webhook");
}

}  // namespace pollux
