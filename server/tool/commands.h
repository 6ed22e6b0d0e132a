// The subcommands of `pollux`, and how they end.
//
// Each `add_..._command` hangs one subcommand with its options into `app`; its callback does the
// work and leaves the result in `exit_code`, which outlives the parse. Options' storage belongs to
// the callback (a shared_ptr captured by it). Expected failures never leave a callback as an
// exception. Thread: the main thread.
#pragma once

namespace CLI {
class App;
}

namespace pollux::tool {

struct ConnectionOptions;

/// What the process ends with. Frozen: scripts test these numbers.
enum class ExitCode : int {
  kOk = 0,
  kUsage = 1,     ///< unknown option, missing argument, unknown stream or attribute, wrong settings
  kBadPlan = 2,   ///< the plan has errors; all of them are on stderr
  kBadInput = 3,  ///< input data is wrong and --on-error is stop
  kFailed = 4,    ///< a file cannot be read or written, or the engine suspended the plan
  kUnreachable = 5,  ///< no answer from the server, or it stops
  kRefused = 6,  ///< the server understood and refuses: a conflict, full queues, its own failure
};

void add_run_command(CLI::App& app, ExitCode& exit_code);
void add_plan_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code);
void add_status_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code);
void add_switchover_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code);
void add_arbiter_command(CLI::App& app, ExitCode& exit_code);
void add_store_command(CLI::App& app, ExitCode& exit_code);
void add_send_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code);
void add_tail_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code);
void add_query_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code);
void add_journal_command(CLI::App& app, ExitCode& exit_code);
void add_state_command(CLI::App& app, ExitCode& exit_code);
/// To be added last: it tells of all that `app` then has.
void add_completion_command(CLI::App& app, ExitCode& exit_code);

/// In server/tool/config/config_command.cc.
void add_config_command(CLI::App& app, ExitCode& exit_code);

/// In server/tool/generate/generate_command.cc.
void add_generate_command(CLI::App& app, ExitCode& exit_code);

}  // namespace pollux::tool
