// `pollux run --entries`: an export of a journal through the engine; the results as the server's
// subscribers and file sinks get them, a line each.
//
// Thread: the main thread. Failure: told on the console; the exit code says of which kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/formats/output_buffer.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"
#include "server/tool/run/entry_lines.h"
#include "server/tool/run/entry_replay.h"
#include "server/tool/run/run_options.h"

namespace pollux::tool {

class ReplayJob {
 public:
  /// Borrows `options`; results go to the descriptor `results_fd`.
  ReplayJob(const RunOptions& options, int results_fd);

  ExitCode run();

 private:
  void replay(EntryLines& lines);
  void take(const ResultSlice& results);
  void write_results();
  void fail(ExitCode code, const std::string& message);
  std::string place(const EntryLines& lines) const;
  std::string summary() const;

  const RunOptions& options_;
  Console console_;
  ConsoleLog log_{console_};
  OutputBuffer out_;
  EntryReplay replay_;
  /// Of the entry that is applied, each plan's behind each other.
  std::vector<ResultSlice> gathered_;
  uint64_t entries_ = 0;
  uint64_t results_ = 0;
  ExitCode exit_code_ = ExitCode::kOk;
};

}  // namespace pollux::tool
