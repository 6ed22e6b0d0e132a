// pollux arbiter create-table: what an arbiter in a database needs before the first start.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/formats/output_buffer.h"
#include "server/pair/pair_arbiter.h"
#include "server/settings/load.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"

namespace pollux::tool {

namespace {

ExitCode create_table(const std::string& file) {
  Console console;
  const LoadedSettings loaded = load_settings({file, process_environment()});
  for (const SettingError& error : loaded.errors) console.message(to_text(error));
  if (!loaded.errors.empty()) return ExitCode::kUsage;
  absl::Status created = create_arbiter_table(loaded.settings);
  if (!created.ok()) {
    console.message(std::string(created.message()));
    return absl::IsInvalidArgument(created) ? ExitCode::kUsage : ExitCode::kUnreachable;
  }
  console.message("the table pollux_arbiter is there");
  return ExitCode::kOk;
}

}  // namespace

void add_arbiter_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* command =
      app.add_subcommand("arbiter", "Set up what decides which node of a pair leads");
  command->require_subcommand(1);
  CLI::App* create = command->add_subcommand(
      "create-table", "Make the table that an arbiter in PostgreSQL, MySQL or MariaDB needs");
  auto file = std::make_shared<std::string>();
  create->add_option("--config", *file, "Settings of a node, whose pair.arbiter names the database")
      ->type_name("FILE");
  create->footer(
      "A table that is there already is left as it is. Without --config the environment counts:\n"
      "POLLUX__PAIR__ARBITER, POLLUX__PAIR__ARBITER_PASSWORD.\n"
      "Ends with 0 when the table is there, 1 for wrong settings, 5 when the database cannot be\n"
      "reached or refuses.\n"
      "\n"
      "Example:\n"
      "  pollux arbiter create-table --config /etc/pollux/pollux.yaml\n");
  create->callback([file, &exit_code] { exit_code = create_table(*file); });
}

}  // namespace pollux::tool
