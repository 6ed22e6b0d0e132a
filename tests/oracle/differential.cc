#include "tests/oracle/differential.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "engine/runtime/engine.h"
#include "tests/oracle/oracle.h"

namespace pollux::oracle {

namespace {

/// What happens behind every entry: the state is saved and restored, or the plan is edited.
enum class Between : uint8_t { kNothing, kRestores, kEdits };

/// How the engine gets its input: rows an entry at most.
struct Packing {
  size_t rows;
  Between entries;
  const char* name;
};
constexpr std::array<Packing, 5> kPackings = {
    {{1, Between::kNothing, "rows one by one"},
     {7, Between::kRestores, "batches of 7, restored after each"},
     {5, Between::kEdits, "batches of 5, edited after each"},
     {7, Between::kNothing, "batches of 7"},
     {1024, Between::kNothing, "batches of 1024"}}};

/// What edits put in front of the plan, or take away: it changes the numbers of all queries.
constexpr const char* kUnrelated =
    "define stream Unrelated (x int); @info(name='unrelated') from Unrelated#window.time(1 sec) "
    "select x insert into UnrelatedOut; ";

std::string to_line(const Result& result) {
  std::string line = result.stream + " @" + std::to_string(result.timestamp) + " [";
  for (size_t i = 0; i < result.row.size(); ++i) {
    const Value& value = result.row[i];
    bool quoted = std::holds_alternative<std::string>(value);
    line += (i == 0 ? "" : ", ");
    line += quoted ? "'" + java_text(value) + "'" : java_text(value);
  }
  return line + "]";
}

bool same(const Result& left, const Result& right) {
  if (left.stream != right.stream || left.timestamp != right.timestamp ||
      left.row.size() != right.row.size()) {
    return false;
  }
  for (size_t i = 0; i < left.row.size(); ++i) {
    if (!same_value(left.row[i], right.row[i])) return false;
  }
  return true;
}

// Rows that the oracle may look at or make for one case. Almost all cases stay far below it.
constexpr uint64_t kWorkMax = 200'000;

struct Outcome {
  std::string refused;
  std::vector<Result> results;
  bool exhausted = false;  // the case is too large
  size_t rows_done = 0;    // input rows that were taken before that
};

Outcome by_oracle(const RandomCase& made) {
  Outcome outcome;
  Oracle oracle(made.plan());
  oracle.limit_work(kWorkMax);
  auto ended = [&](size_t rows_taken) {
    outcome.refused = oracle.error();
    outcome.exhausted = oracle.exhausted();
    if (!outcome.exhausted) outcome.rows_done += rows_taken;
    return outcome.exhausted || !outcome.refused.empty();
  };
  if (ended(0)) return outcome;
  for (const InputRun& run : made.runs) {
    std::vector<Event> events;
    for (const InputRow& row : run.rows) {
      if (run.one_chunk) {
        events.push_back({EventKind::kCurrent, row.timestamp, row.row});
        continue;
      }
      oracle.send(run.stream, row.row, row.timestamp);
      if (ended(1)) return outcome;
    }
    if (!run.one_chunk) continue;
    size_t taken = events.size();
    oracle.send_chunk(run.stream, std::move(events));
    if (ended(taken)) return outcome;
  }
  oracle.advance(made.final_tick);
  if (!ended(0)) outcome.results = oracle.take_results();
  return outcome;
}

size_t input_rows(const RandomCase& made) {
  size_t rows = 0;
  for (const InputRun& run : made.runs) rows += run.rows.size();
  return rows;
}

// The case with its first `rows` input rows only, and no time after them.
RandomCase prefix_of(const RandomCase& made, size_t rows) {
  RandomCase prefix = made;
  prefix.runs.clear();
  prefix.final_tick = 0;
  for (InputRun run : made.runs) {
    if (rows == 0) break;
    run.rows.resize(std::min(rows, run.rows.size()));
    rows -= run.rows.size();
    for (const InputRow& row : run.rows) {
      prefix.final_tick = std::max(prefix.final_tick, row.timestamp);
    }
    prefix.runs.push_back(std::move(run));
  }
  return prefix;
}

// Cuts a case that is too large for the oracle at an input row; true if it had to. What the oracle
// says of the rest is put into `expected`.
bool cut_to_size(RandomCase& made, Outcome& expected) {
  bool cut = false;
  for (expected = by_oracle(made); expected.exhausted; expected = by_oracle(made)) {
    // The second time it is what time brings about behind the last row that is too much.
    bool again = cut && expected.rows_done == input_rows(made);
    made = prefix_of(made, expected.rows_done - (again ? 1 : 0));
    cut = true;
  }
  return cut;
}

// Takes the rows of one entry and puts them in the order of their ordinals.
class Collector : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override {
    for (uint32_t row = 0; row < results.batch->rows(); ++row) {
      Result result;
      result.stream = results.stream;
      result.timestamp = results.batch->timestamps()[row];
      for (size_t i = 0; i < results.batch->schema().size(); ++i) {
        result.row.push_back(results.batch->value(row, i));
      }
      if (!rows_.emplace(results.ordinals[row], std::move(result)).second) repeated_ = true;
    }
  }

  void end_entry(std::vector<Result>& results) {
    for (auto& [ordinal, result] : rows_) results.push_back(std::move(result));
    rows_.clear();
  }
  bool repeated() const { return repeated_; }

 private:
  std::map<uint32_t, Result> rows_;
  bool repeated_ = false;
};

class EngineRun {
 public:
  EngineRun(const RandomCase& made, const Packing& packing)
      : made_(made),
        packing_(packing),
        engine_({ClockMode::kRow, {}}),
        through_({ClockMode::kRow, {}}) {}

  Outcome run() {
    if (!deploy()) return std::move(outcome_);
    for (const InputRun& run : made_.runs) {
      size_t most = run.one_chunk ? run.rows.size() : packing_.rows;
      // Rows of one stream that follow each other share batches, across runs too.
      if (pending_ != nullptr && (run.one_chunk || pending_stream_ != run.stream)) flush();
      for (const InputRow& row : run.rows) {
        add(run, row);
        if (pending_->rows() >= most) flush();
      }
      if (run.one_chunk) flush();
    }
    flush();
    apply({next_id(), {made_.final_tick}, TickPayload{}});
    if (collector_.repeated()) outcome_.refused = "an ordinal came twice";
    return std::move(outcome_);
  }

 private:
  EntryId next_id() { return {{1}, {++position_}}; }
  int64_t start_ms() const { return made_.runs.empty() ? 0 : made_.runs[0].rows[0].timestamp; }

  bool deploy() {
    DeployPayload payload;
    payload.plan = "random";
    // Streams that windows hold back bring events of any age: nothing must be freed by time.
    payload.text = "@app:limits(lateness='1000 days') ";
    if (edited_) payload.text += kUnrelated;
    payload.text += made_.plan();
    Entry entry{next_id(), {start_ms()}, std::move(payload)};
    ApplyOutcome applied = engine_.apply(entry, collector_);
    if (packing_.entries == Between::kRestores) through_.apply(entry, unseen_);
    if (applied.status == ApplyStatus::kApplied) return true;
    outcome_.refused = "refused: " + applied.reason + to_text(applied.diagnostics, "plan");
    return false;
  }

  void add(const InputRun& run, const InputRow& row) {
    if (pending_ == nullptr) {
      auto schema = std::find_if(made_.inputs.begin(), made_.inputs.end(),
                                 [&](const auto& each) { return each->name() == run.stream; });
      pending_ = std::make_shared<EventBatch>(*schema);
      pending_->set_one_chunk(run.one_chunk);
      pending_stream_ = run.stream;
    }
    for (size_t i = 0; i < row.row.size(); ++i) pending_->append_value(i, row.row[i]);
    pending_->end_row(row.timestamp);
  }

  void flush() {
    if (pending_ == nullptr) return;
    Timestamp newest{pending_->timestamps().back()};
    apply({next_id(), newest, EventsPayload{std::exchange(pending_, nullptr)}});
  }

  void apply(const Entry& entry) {
    ApplyOutcome applied = engine_.apply(entry, collector_);
    if (applied.status != ApplyStatus::kApplied && outcome_.refused.empty()) {
      outcome_.refused = "entry not applied: " + applied.reason;
    }
    collector_.end_entry(outcome_.results);
    if (!outcome_.refused.empty()) return;
    if (packing_.entries == Between::kRestores) {
      through_.apply(entry, unseen_);
      exchange_state();
    }
    if (packing_.entries == Between::kEdits) edit_plan();
  }

  void exchange_state() {
    std::string saved = engine_.save_state("random");
    if (through_.save_state("random") != saved) {
      outcome_.refused = "a state is another on a node that ran through";
      return;
    }
    outcome_.refused = engine_.restore_state("random", saved);
    if (outcome_.refused.empty() && engine_.save_state("random") != saved) {
      outcome_.refused = "a state is another after it was restored";
    }
  }

  /// Puts a query in front of the others, or takes it away: they must go on as if nothing was.
  void edit_plan() {
    std::string saved = engine_.save_state("random");
    engine_.apply({next_id(), {start_ms()}, UndeployPayload{"random"}}, collector_);
    edited_ = !edited_;
    if (!deploy()) return;
    RestoreReport report;
    outcome_.refused = engine_.restore_state("random", saved, report);
    const std::vector<std::string> unrelated = {"query unrelated"};
    bool kept = (edited_ ? report.fresh : report.dropped) == unrelated &&
                (edited_ ? report.dropped : report.fresh).empty();
    if (outcome_.refused.empty() && !kept) outcome_.refused = "an edit lost a state";
  }

  const RandomCase& made_;
  const Packing& packing_;
  bool edited_ = false;
  Engine engine_;
  Engine through_;  // the same without what happens between entries
  Collector collector_;
  Collector unseen_;
  Outcome outcome_;
  uint64_t position_ = 0;
  std::shared_ptr<EventBatch> pending_;
  std::string pending_stream_;
};

std::optional<std::string> compare(const Outcome& expected, const Outcome& actual,
                                   const std::string& who) {
  if (expected.refused.empty() != actual.refused.empty()) {
    return who + ": oracle '" + expected.refused + "', engine '" + actual.refused + "'";
  }
  size_t common = std::min(expected.results.size(), actual.results.size());
  size_t at = 0;
  while (at < common && same(expected.results[at], actual.results[at])) ++at;
  if (at == expected.results.size() && at == actual.results.size()) return std::nullopt;
  auto show = [&](const std::vector<Result>& results) {
    std::string lines;
    size_t first = at > 2 ? at - 2 : 0;
    for (size_t i = first; i < std::min(results.size(), at + 4); ++i) {
      lines += (i == at ? "  > " : "    ") + to_line(results[i]) + "\n";
    }
    return lines.empty() ? "    (none)\n" : lines;
  };
  return who + ": row " + std::to_string(at) + " of " + std::to_string(expected.results.size()) +
         " (oracle) and " + std::to_string(actual.results.size()) + " (engine)\n  oracle:\n" +
         show(expected.results) + "  engine:\n" + show(actual.results);
}

bool leave_out_parts(RandomCase& made) {
  for (size_t i = made.parts.size(); i-- > 0;) {
    RandomCase smaller = made;
    smaller.parts.erase(smaller.parts.begin() + static_cast<long>(i));
    // What remains must still be a plan: others may need the part.
    if (!by_oracle(smaller).refused.empty() || !compared(smaller).difference) continue;
    made = std::move(smaller);
    return true;
  }
  return false;
}

bool leave_out_rows(RandomCase& made) {
  bool less = false;
  for (size_t run = made.runs.size(); run-- > 0;) {
    for (size_t row = made.runs[run].rows.size(); row-- > 0;) {
      RandomCase smaller = made;
      auto& rows = smaller.runs[run].rows;
      rows.erase(rows.begin() + static_cast<long>(row));
      if (rows.empty()) smaller.runs.erase(smaller.runs.begin() + static_cast<long>(run));
      if (smaller.runs.empty() || !compared(smaller).difference) continue;
      made = std::move(smaller);
      less = true;
      if (run >= made.runs.size()) break;
      row = std::min(row, made.runs[run].rows.size());
    }
  }
  return less;
}

}  // namespace

Comparison compared(RandomCase made) {
  Comparison comparison;
  comparison.input_rows = input_rows(made);
  Outcome expected;
  comparison.cut = cut_to_size(made, expected);
  comparison.input_rows_left_out = comparison.input_rows - input_rows(made);
  comparison.result_rows = expected.results.size();
  for (const Packing& packing : kPackings) {
    comparison.difference = compare(expected, EngineRun(made, packing).run(), packing.name);
    if (comparison.difference) break;
  }
  return comparison;
}

RandomCase minimised(RandomCase made) {
  while (leave_out_parts(made)) {
  }
  while (leave_out_rows(made)) {
  }
  while (leave_out_parts(made)) {
  }
  return made;
}

}  // namespace pollux::oracle
