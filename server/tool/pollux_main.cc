// pollux: the command line. Each subcommand lives in a folder of its own beside this file.

#include <CLI/CLI.hpp>
#include <csignal>

#include "server/tool/client/connection.h"
#include "server/tool/commands.h"

namespace {

using pollux::tool::ExitCode;

constexpr const char* kExamples =
    "Examples:\n"
    "  pollux plan validate plan.siddhi\n"
    "  pollux run plan.siddhi --in Logins=logins.csv\n"
    "  pollux run plan.siddhi --in Logins=- --format jsonl --out Alerts < logins.jsonl\n"
    "  pollux plan deploy plan.siddhi && pollux send Logins logins.csv && pollux status\n"
    "\n"
    "`pollux SUBCOMMAND --help` says everything about one of them.\n"
    "\n"
    "Ends with 0 when all went well, 1 for wrong options, 2 for errors in a plan, 3 for errors in\n"
    "the input, 4 when a file cannot be read or written or a plan was suspended, 5 when the "
    "server\n"
    "cannot be reached, 6 when it refuses.\n";

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away shows as EPIPE at the write, where it is handled.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("pollux: runs SiddhiQL plans over event streams, here or on a server", "pollux");
  app.set_version_flag("--version", "pollux " POLLUX_VERSION);
  app.require_subcommand(1);
  app.footer(kExamples);
  ExitCode exit_code = ExitCode::kOk;
  pollux::tool::ConnectionOptions connection;
  pollux::tool::add_server_option(app, connection);
  pollux::tool::add_run_command(app, exit_code);
  pollux::tool::add_plan_command(app, connection, exit_code);
  pollux::tool::add_status_command(app, connection, exit_code);
  pollux::tool::add_switchover_command(app, connection, exit_code);
  pollux::tool::add_arbiter_command(app, exit_code);
  pollux::tool::add_store_command(app, exit_code);
  pollux::tool::add_send_command(app, connection, exit_code);
  pollux::tool::add_tail_command(app, connection, exit_code);
  pollux::tool::add_query_command(app, connection, exit_code);
  pollux::tool::add_journal_command(app, exit_code);
  pollux::tool::add_state_command(app, exit_code);
  pollux::tool::add_generate_command(app, exit_code);
  pollux::tool::add_config_command(app, exit_code);
  pollux::tool::add_completion_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come here too, with exit code 0.
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(exit_code);
}
