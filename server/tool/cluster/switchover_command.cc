// pollux switchover: the active of a pair hands the lead over.

#include <CLI/CLI.hpp>

#include "server/tool/client/client_session.h"
#include "server/tool/commands.h"

namespace pollux::tool {

namespace {

ExitCode switch_over(const ConnectionOptions& connection) {
  ClientSession session(connection, /*json=*/false);
  if (session.ask({.method = "POST", .path = "/v1/cluster/switchover"})) {
    session.out().append("the lead is being handed over\n");
  }
  return session.finish();
}

}  // namespace

void add_switchover_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand(
      "switchover", "Order the active node of a pair to hand the lead over to the other");
  add_server_option(*command, connection);
  command->footer(
      "Nothing is lost, and nobody who sends events has to do anything.\n"
      "Ends with 0 when it is ordered, 5 when the server cannot be reached, 6 when it does not\n"
      "lead or there is nobody to hand over to.\n"
      "\n"
      "Example:\n"
      "  pollux switchover --server http://castor:9763\n");
  command->callback([&connection, &exit_code] { exit_code = switch_over(connection); });
}

}  // namespace pollux::tool
