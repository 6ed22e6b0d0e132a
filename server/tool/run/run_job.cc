#include "server/tool/run/run_job.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/runtime/no_results.h"
#include "server/tool/parameter_options.h"
#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

constexpr Epoch kEpoch{1};
constexpr std::chrono::milliseconds kFlushInterval{100};
/// String bytes after which a batch is full even if it has few rows.
constexpr size_t kBatchStringBytesMax = 4 * 1024 * 1024;
constexpr int kAdvanceRoundsMax = 10;
constexpr int kTicksMax = 1'000'000;
constexpr uint64_t kEntriesPerStateSample = 64;

}  // namespace

RunJob::RunJob(const RunOptions& options, int results_fd)
    : options_(options),
      out_(results_fd),
      writer_(out_),
      errors_(console_),
      flush_each_entry_(::isatty(results_fd) == 1),
      started_(Clock::now()),
      flushed_(started_) {
  if (flush_each_entry_) out_.before_write([this] { console_.wipe_bar(); });
}

RunJob::~RunJob() = default;

ExitCode RunJob::run() {
  if (!deploy() || !open_inputs()) return exit_code_;
  started_ = Clock::now();
  if (apply_rows() && advance_time()) answer_queries();
  out_.flush();
  results_went_out();
  console_.wipe_bar();
  if (!reader_gone_) print_summary();
  return exit_code_;
}

bool RunJob::fail(ExitCode code, const std::string& message) {
  exit_code_ = code;
  console_.message(message);
  return false;
}

// ---- before the first row ----

/// The plan's text with its parameters filled in; false, and told, when some have no value.
bool RunJob::fill(PlanFile& plan, const FilledText& filled) {
  if (!filled.errors().empty()) {
    return fail(ExitCode::kBadPlan, to_text(filled.errors(), plan.path));
  }
  plan.text = filled.text();
  return true;
}

DeployPayload RunJob::payload_of(const PlanFile& plan) const {
  return {.plan = plan.name, .text = plan.text, .dialect = options_.dialect};
}

std::optional<std::vector<StreamInfo>> RunJob::streams_of(const PlanFile& plan,
                                                          const FilledText& filled) {
  // A deployment that is thrown away: which streams are results must be known before the real one.
  Engine engine({.clock = ClockMode::kRow, .is_result = {}});
  NoResults no_results;
  Entry entry{{kEpoch, {1}}, {0}, payload_of(plan)};
  ApplyOutcome outcome = engine.apply(entry, no_results);
  if (outcome.status == ApplyStatus::kApplied) {
    plan_name_ = outcome.plan;
    if (engine.describe(outcome.plan)->external.empty()) return engine.streams(outcome.plan);
    fail(ExitCode::kBadPlan,
         plan.path +
             ": the plan has external tables, whose rows only a server looks up; replay a "
             "server's journal with --entries, or leave external='true' out");
    return std::nullopt;
  }
  filled.to_original(outcome.diagnostics);
  fail(ExitCode::kBadPlan, outcome.diagnostics.empty() ? plan.path + ": " + outcome.reason
                                                       : to_text(outcome.diagnostics, plan.path));
  return std::nullopt;
}

bool RunJob::deploy() {
  PlanFile plan = read_plan_file(options_.plan_path);
  if (!plan.error.empty()) return fail(ExitCode::kFailed, plan.error);
  std::string missing = load_functions(options_.functions);
  if (!missing.empty()) return fail(ExitCode::kFailed, missing);
  const FilledText filled(plan.text, parameters_of(options_.parameters));
  if (!fill(plan, filled)) return false;
  std::optional<std::vector<StreamInfo>> streams = streams_of(plan, filled);
  if (!streams) return false;
  input_plan_ = resolve_options(options_, *streams);
  for (const std::string& error : input_plan_.errors) fail(ExitCode::kUsage, error);
  if (!input_plan_.errors.empty()) return false;
  EngineOptions options;
  options.clock = ClockMode::kRow;
  options.is_result = [this](std::string_view, std::string_view stream) {
    const std::vector<std::string>& outputs = input_plan_.outputs;
    return std::find(outputs.begin(), outputs.end(), stream) != outputs.end();
  };
  options.log = &log_;
  engine_ = std::make_unique<Engine>(std::move(options));
  if (!apply(payload_of(plan))) return false;
  note_endpoints();
  return true;
}

/// Files take the place of sources here, and standard output that of sinks.
void RunJob::note_endpoints() {
  std::string names;
  const std::optional<PlanDescription> plan = engine_->describe(plan_name_);
  for (const StreamEndpoint& endpoint : plan->endpoints) {
    bool source = endpoint.kind == StreamEndpoint::Kind::kSource;
    names += (names.empty() ? "" : ", ") + std::string(source ? "@source" : "@sink") + " of " +
             endpoint.stream;
  }
  if (!names.empty()) console_.message("note: sources and sinks are not run here: " + names);
}

bool RunJob::open_inputs() {
  for (InputFile& file : input_plan_.files) {
    file.layout.schema = engine_->input_schema(file.layout.schema->name());
    std::string error;
    std::unique_ptr<RowReader> reader = open_rows(file.path, file.layout, options_.input, error);
    if (reader == nullptr) return fail(ExitCode::kFailed, error);
    input_.add(file.path == "-" ? "stdin" : file.path, std::move(reader));
  }
  return true;
}

// ---- rows ----

bool RunJob::apply_rows() {
  Wait wait = Wait::kNo;
  for (;;) {
    switch (input_.next(wait)) {
      case ReadStatus::kRow:
        if (!take_row()) return false;
        break;
      case ReadStatus::kRowError:
        if (!on_row_error()) return false;
        break;
      case ReadStatus::kNotReady:
        // Nothing to read for now: whoever feeds us live wants to see what it gave.
        if (!apply_batch()) return false;
        out_.flush();
        if (!results_went_out()) return false;
        wait = Wait::kYes;
        continue;
      case ReadStatus::kEnd:
        return apply_batch();
      case ReadStatus::kFailed: {
        const RowError& error = input_.reader().error();
        if (!apply_batch()) return false;
        errors_.add(input_.name(), error);
        exit_code_ =
            error.kind == RowErrorKind::kUnreadable ? ExitCode::kFailed : ExitCode::kBadInput;
        return false;
      }
    }
    wait = Wait::kNo;
  }
}

bool RunJob::take_row() {
  const RowReader& reader = input_.reader();
  if (batch_ != nullptr && batch_->rows() != 0) {
    bool other_stream = batch_->schema_ptr() != reader.layout().schema;
    if (other_stream || batch_->rows() >= options_.batch_rows ||
        batch_->arena().bytes_used() > kBatchStringBytesMax) {
      if (!apply_batch()) return false;
    }
  }
  if (batch_ == nullptr || batch_->schema_ptr() != reader.layout().schema) {
    batch_ = std::make_shared<EventBatch>(reader.layout().schema);
  }
  reader.append_to(*batch_);
  time_ms_ = std::max(time_ms_, reader.timestamp_ms());
  ++events_;
  if (reader.timestamp_is_row_number() && !row_number_time_noted_) note_row_number_time();
  return true;
}

void RunJob::note_row_number_time() {
  row_number_time_noted_ = true;
  console_.message("note: " + input_.name() +
                   " has no event times, so its rows are taken to be 1 ms apart; --timestamp "
                   "ATTRIBUTE names the attribute that has them");
}

bool RunJob::on_row_error() {
  errors_.add(input_.name(), input_.reader().error());
  if (options_.input.on_error == OnError::kSkip) return true;
  exit_code_ = ExitCode::kBadInput;
  apply_batch();
  return false;
}

bool RunJob::apply_batch() {
  if (batch_ == nullptr || batch_->rows() == 0) return true;
  bool applied = apply(EventsPayload{batch_});
  // The engine may hold the batch in a window; else its memory serves the next rows.
  if (batch_.use_count() == 1) {
    batch_->clear();
  } else {
    batch_.reset();
  }
  console_.show({input_.bytes_read(), input_.bytes_total(), events_});
  return applied;
}

bool RunJob::apply(EntryPayload payload) {
  Entry entry{{kEpoch, {++position_}}, {time_ms_}, std::move(payload)};
  ApplyOutcome outcome = engine_->apply(entry, writer_);
  ++entries_;
  writer_.end_entry();
  if (options_.stats && entries_ % kEntriesPerStateSample == 0) sample_state();
  switch (outcome.status) {
    case ApplyStatus::kApplied:
      break;
    case ApplyStatus::kRejected:
      return fail(ExitCode::kFailed, "the engine refused an entry: " + outcome.reason);
    case ApplyStatus::kSuspended:
      return fail(ExitCode::kFailed, "plan " + outcome.plan + " failed at event " +
                                         with_thousands(events_) +
                                         " or shortly before, and is suspended: " + outcome.reason);
  }
  flush_when_due();
  return results_went_out();
}

void RunJob::flush_when_due() {
  Clock::time_point now = Clock::now();
  if (!flush_each_entry_ && now - flushed_ < kFlushInterval) return;
  flushed_ = now;
  out_.flush();
}

bool RunJob::results_went_out() {
  switch (out_.status()) {
    case OutputBuffer::Status::kOk:
      return true;
    case OutputBuffer::Status::kReaderGone:
      // `pollux run ... | head` is done when head is.
      reader_gone_ = true;
      return false;
    case OutputBuffer::Status::kFailed:
      break;
  }
  if (exit_code_ == ExitCode::kFailed) return false;
  return fail(ExitCode::kFailed, "standard output: cannot write: " + out_.error());
}

// ---- after the last row ----

bool RunJob::advance_time() {
  if (options_.advance == kAdvanceNone) return true;
  if (std::optional<int64_t> duration_ms = parse_duration_ms(options_.advance)) {
    return advance_to(time_ms_ + *duration_ms);
  }
  // What waits now is let come due. What that gives may set others waiting; a plan that repeats
  // itself for ever (an output rate over rows that stay) must come to an end all the same.
  for (int round = 0; round < kAdvanceRoundsMax; ++round) {
    std::optional<Timestamp> last = engine_->last_deadline();
    if (!last) return true;
    uint64_t results_before = writer_.results();
    if (!advance_to(last->ms)) return false;
    if (writer_.results() == results_before) return true;
  }
  return true;
}

bool RunJob::advance_to(int64_t until_ms) {
  until_ms = std::min(until_ms, kTimestampMsMax);
  // One entry for each deadline, so that results stream out; the last tick takes what is left.
  for (int ticks = 0; ticks < kTicksMax; ++ticks) {
    std::optional<Timestamp> next = engine_->next_deadline();
    if (!next || next->ms >= until_ms) break;
    if (!tick(next->ms)) return false;
  }
  return tick(until_ms);
}

bool RunJob::answer_queries() {
  for (const std::string& text : options_.queries) {
    QueryAnswer answer = engine_->query(plan_name_, text);
    if (!answer.status.ok()) {
      std::string what = to_text(answer.diagnostics, "--query");
      return fail(ExitCode::kUsage, what.empty() ? "--query: " + answer.status.reason : what);
    }
    std::vector<uint32_t> ordinals(answer.rows->rows());
    std::iota(ordinals.begin(), ordinals.end(), 0u);
    writer_.on_result({plan_name_, "query", {kEpoch, {++position_}}, answer.rows, ordinals});
    writer_.end_entry();
    if (!results_went_out()) return false;
  }
  return true;
}

void RunJob::sample_state() {
  state_bytes_max_ = std::max(state_bytes_max_, engine_->state_bytes());
}

bool RunJob::tick(int64_t time_ms) {
  time_ms_ = std::max(time_ms_, time_ms);
  return apply(TickPayload{});
}

void RunJob::print_summary() {
  std::string text = counted(events_, "event") + " in, " + counted(writer_.results(), "result") +
                     " out, " + errors_.summary();
  if (options_.stats) {
    sample_state();
    double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    char elapsed[32];
    std::snprintf(elapsed, sizeof elapsed, "%.3f", seconds);
    auto rate = static_cast<uint64_t>(static_cast<double>(events_) / std::max(seconds, 1e-9));
    text += std::string("; ") + elapsed + " s, " + with_thousands(rate) + " events/s, " +
            with_thousands(entries_) + " entries, at most " + with_thousands(state_bytes_max_) +
            " bytes of state";
  }
  console_.message(text);
}

}  // namespace pollux::tool
