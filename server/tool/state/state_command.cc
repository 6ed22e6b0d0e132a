// pollux state list|inspect: revisions of the state of plans, without a server.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/tool/commands.h"
#include "server/tool/state/state_jobs.h"

namespace pollux::tool {

namespace {

void add_list_command(CLI::App& state, ExitCode& exit_code) {
  CLI::App* command = state.add_subcommand("list", "List the revisions of each plan, newest first");
  auto options = std::make_shared<StateListOptions>();
  command->add_option("DIR", options->directory,
                      "A server's data_dir, a persistence location, or one plan's folder "
                      "(default: the present one)");
  command->add_flag("--verify", options->verify,
                    "Read all of each revision and compare checksums, not only its header and end");
  command->add_flag("--json", options->json,
                    "One JSON object a revision: tenant, plan, file, timestamp_ms, age_ms, bytes, "
                    "valid, entry, state_bytes or error");
  command->footer(
      "ENTRY is the last entry that is in the state; a restart goes on behind it.\n"
      "Ends with 0 when all can be used, 3 when one has rotted or is of a newer version, 4 when\n"
      "there are none or they cannot be read.\n"
      "\n"
      "Examples:\n"
      "  pollux state list /var/lib/pollux\n"
      "  pollux state list /var/lib/pollux/cep_persistence/-1234/LoginAlerts --verify\n");
  command->callback([options, &exit_code] { exit_code = list_states(*options); });
}

void add_inspect_command(CLI::App& state, ExitCode& exit_code) {
  CLI::App* command = state.add_subcommand(
      "inspect", "Tell what stands in a revision, once all its checksums have been compared");
  auto options = std::make_shared<StateInspectOptions>();
  command->add_option("FILE", options->file, "A revision")->required();
  command->add_flag("--json", options->json,
                    "One JSON object: format, semantics_version, plan_hash, entry, timestamp_ms, "
                    "packed_bytes, state_bytes, state_hash, units");
  command->footer(
      "A unit is a query, partition or definition of the plan, or its clock; its hash is that of\n"
      "its text and inputs, and each of its sections belongs to one operator.\n"
      "Ends with 0 when the revision is whole, 3 when it has rotted, is none or is of a newer\n"
      "version, 4 when it cannot be read.\n"
      "\n"
      "Example:\n"
      "  pollux state inspect cep_persistence/-1234/LoginAlerts/1493101044948_LoginAlerts\n");
  command->callback([options, &exit_code] { exit_code = inspect_state(*options); });
}

}  // namespace

void add_state_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* state = app.add_subcommand("state", "Look at the saved state of plans");
  state->require_subcommand(1);
  state->footer(
      "Nothing is changed: the server may run meanwhile, and a copy will do.\n"
      "\n"
      "Examples:\n"
      "  pollux state list /var/lib/pollux\n"
      "  pollux state inspect cep_persistence/-1234/LoginAlerts/1493101044948_LoginAlerts\n");
  add_list_command(*state, exit_code);
  add_inspect_command(*state, exit_code);
}

}  // namespace pollux::tool
