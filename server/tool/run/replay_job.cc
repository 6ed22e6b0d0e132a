#include "server/tool/run/replay_job.h"

#include <algorithm>
#include <utility>

#include "server/publishers/row_text.h"
#include "server/tool/journal/entry_id_text.h"
#include "server/tool/journal/entry_json_reader.h"
#include "server/tool/read_only_files.h"
#include "server/tool/text_format.h"

namespace pollux::tool {

ReplayJob::ReplayJob(const RunOptions& options, int results_fd)
    : options_(options),
      out_(results_fd),
      replay_({.results = [this](const ResultSlice& results) { take(results); },
               .suspended =
                   [this](const ApplyOutcome& outcome) {
                     fail(ExitCode::kFailed,
                          "plan " + outcome.plan + " failed and is suspended: " + outcome.reason);
                   },
               .log = &log_}) {}

ExitCode ReplayJob::run() {
  if (std::string missing = load_functions(options_.functions); !missing.empty()) {
    fail(ExitCode::kFailed, missing);
    return exit_code_;
  }
  std::string error;
  std::unique_ptr<FileSource> source = FileSource::open(options_.entries, error);
  if (source == nullptr) {
    fail(ExitCode::kFailed, options_.entries + ": " + error);
    return exit_code_;
  }
  EntryLines lines(std::move(source));
  replay(lines);
  exit_code_ = finish_output(out_, console_, "standard output", exit_code_);
  if (out_.status() == OutputBuffer::Status::kOk) console_.message(summary());
  return exit_code_;
}

void ReplayJob::replay(EntryLines& lines) {
  EntryJsonReader reader;
  EntryId before;
  while (out_.status() == OutputBuffer::Status::kOk) {
    std::optional<std::string_view> line = lines.next();
    if (!line) break;
    absl::StatusOr<Entry> entry = reader.read(*line);
    if (!entry.ok()) return fail(ExitCode::kBadInput, place(lines) + message_of(entry.status()));
    if (entries_ > 0 && (entry->id.position <= before.position || entry->id.epoch < before.epoch)) {
      return fail(ExitCode::kBadInput, place(lines) + "entry " + to_text(entry->id) +
                                           " does not follow " + to_text(before));
    }
    before = entry->id;
    absl::Status applied = replay_.apply(*entry);
    if (!applied.ok()) return fail(ExitCode::kBadPlan, place(lines) + message_of(applied));
    ++entries_;
    write_results();
  }
  if (!lines.error().empty()) fail(ExitCode::kFailed, options_.entries + ": " + lines.error());
  if (replay_.without_plan() > 0) {
    console_.message("note: " + with_thousands(replay_.without_plan()) +
                     " of the entries found no plan that takes them; an export that begins behind "
                     "the deployment of its plans cannot be replayed");
  }
  for (const std::string& plan : options_.plans) {
    if (!replay_.knew(plan)) fail(ExitCode::kUsage, "no entry deploys a plan '" + plan + "'");
  }
}

void ReplayJob::take(const ResultSlice& results) {
  const std::vector<std::string>& wanted = options_.plans;
  if (wanted.empty() || std::find(wanted.begin(), wanted.end(), *results.plan) != wanted.end()) {
    gathered_.push_back(results);
  }
}

/// Those of one plan in the order of their ordinals, whatever order their streams came in.
void ReplayJob::write_results() {
  std::string text;
  for (size_t begin = 0; begin < gathered_.size();) {
    std::vector<std::pair<uint32_t, PublishedRow>> rows;
    size_t end = begin;
    for (; end < gathered_.size() && *gathered_[end].plan == *gathered_[begin].plan; ++end) {
      const ResultSlice& slice = gathered_[end];
      for (uint32_t row = 0; row < slice.batch->rows(); ++row) {
        rows.push_back({slice.ordinals[row], {&slice, row}});
      }
    }
    std::sort(rows.begin(), rows.end(),
              [](const auto& one, const auto& other) { return one.first < other.first; });
    for (const auto& [ordinal, row] : rows) {
      text.clear();
      append_row_json(text, row);
      text += '\n';
      out_.append(text);
    }
    results_ += rows.size();
    begin = end;
  }
  gathered_.clear();
}

void ReplayJob::fail(ExitCode code, const std::string& message) {
  if (exit_code_ == ExitCode::kOk) exit_code_ = code;
  out_.flush();
  console_.message(message);
}

/// "entries.jsonl:12: "
std::string ReplayJob::place(const EntryLines& lines) const {
  std::string name = options_.entries == "-" ? "stdin" : options_.entries;
  return name + ":" + std::to_string(lines.number()) + ": ";
}

std::string ReplayJob::summary() const {
  return (entries_ == 1 ? "1 entry" : with_thousands(entries_) + " entries") + " in, " +
         counted(results_, "result") + " out";
}

}  // namespace pollux::tool
