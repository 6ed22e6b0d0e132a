// One run of a plan over files, on virtual time: reads rows in the order of their times, applies
// them to an engine in batches, and writes results as JSON lines.
//
// Thread: the main thread. Failure: told on the console; the exit code says of which kind.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/language/parameters.h"
#include "engine/runtime/engine.h"
#include "server/formats/output_buffer.h"
#include "server/formats/result_writer.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"
#include "server/tool/error_report.h"
#include "server/tool/plan_file.h"
#include "server/tool/run/input_plan.h"
#include "server/tool/run/merged_input.h"
#include "server/tool/run/run_options.h"

namespace pollux::tool {

class RunJob {
 public:
  /// Borrows `options`; results go to the descriptor `results_fd`.
  RunJob(const RunOptions& options, int results_fd);
  ~RunJob();

  ExitCode run();

 private:
  using Clock = std::chrono::steady_clock;

  // Each step is false, with exit_code_ set and the reason told, when the run is over.
  bool deploy();
  bool open_inputs();
  bool apply_rows();
  bool advance_time();
  bool answer_queries();

  bool fill(PlanFile& plan, const FilledText& filled);
  DeployPayload payload_of(const PlanFile& plan) const;
  std::optional<std::vector<StreamInfo>> streams_of(const PlanFile& plan, const FilledText& filled);
  bool take_row();
  bool apply_batch();
  bool apply(EntryPayload payload);
  bool on_row_error();
  bool advance_to(int64_t until_ms);
  bool tick(int64_t time_ms);
  bool results_went_out();
  void flush_when_due();
  bool fail(ExitCode code, const std::string& message);
  void note_row_number_time();
  void note_endpoints();
  void sample_state();
  void print_summary();

  const RunOptions& options_;
  Console console_;
  ConsoleLog log_{console_};
  OutputBuffer out_;
  ResultWriter writer_;
  ErrorReport errors_;
  bool flush_each_entry_;  // results go to a terminal

  InputPlan input_plan_;
  std::string plan_name_;
  std::unique_ptr<Engine> engine_;
  MergedInput input_;
  std::shared_ptr<EventBatch> batch_;  // rows not applied yet; shared with the engine afterwards
  uint64_t position_ = 0;
  int64_t time_ms_ = 0;  // the greatest time so far
  uint64_t events_ = 0;
  uint64_t entries_ = 0;
  size_t state_bytes_max_ = 0;
  bool row_number_time_noted_ = false;
  bool reader_gone_ = false;
  Clock::time_point started_;
  Clock::time_point flushed_;
  ExitCode exit_code_ = ExitCode::kOk;
};

}  // namespace pollux::tool
