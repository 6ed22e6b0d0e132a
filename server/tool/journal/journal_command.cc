// pollux journal inspect|export: what stands in a journal, and its entries, without a server.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/tool/commands.h"
#include "server/tool/journal/journal_jobs.h"

namespace pollux::tool {

namespace {

constexpr const char* kDirectory =
    "The folder of a journal, or a server's data_dir, which has it in journal/";

std::string check_place(const std::string& text) {
  return parse_entry_place(text) ? "" : "expected EPOCH.POSITION or POSITION, as in 3.1042 or 1042";
}

/// --from and --to.
void add_place_option(CLI::App& command, const char* name, const char* what,
                      std::optional<EntryPlace>& to) {
  command
      .add_option_function<std::string>(
          name, [&to](const std::string& text) { to = parse_entry_place(text); }, what)
      ->check(CLI::Validator(check_place, ""))
      ->type_name("[EPOCH.]POSITION");
}

void add_inspect_command(CLI::App& journal, ExitCode& exit_code) {
  CLI::App* command = journal.add_subcommand(
      "inspect", "Tell what stands in each segment, and what has been torn or has rotted");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("DIR", options->directory, kDirectory)->required();
  command->add_flag("--json", options->json, "One JSON object a segment, and one of all of them");
  command->footer(
      "A torn tail is what a crash left of entries that nobody was told of; the server cuts it "
      "off\n"
      "when it starts. Entries that have rotted were whole once; the server says so and does not\n"
      "start while a plan needs them.\n"
      "Ends with 0 when all entries can be read, 3 when some have rotted or are of a newer "
      "version,\n"
      "4 when there is no journal or it cannot be read.\n"
      "\n"
      "Example:\n"
      "  pollux journal inspect /var/lib/pollux\n");
  command->callback([options, &exit_code] { exit_code = inspect_journal(*options); });
}

void add_export_command(CLI::App& journal, ExitCode& exit_code) {
  CLI::App* command =
      journal.add_subcommand("export", "Write the entries as JSON lines that lose nothing");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("DIR", options->directory, kDirectory)->required();
  add_place_option(*command, "--from", "The first entry (default: the oldest)", options->from);
  add_place_option(*command, "--to", "The last entry (default: the newest)", options->to);
  command->add_option("-o,--output", options->output, "A file instead of standard output")
      ->type_name("FILE");
  command->footer(
      "`pollux run --entries` makes of such lines the results that the server made.\n"
      "Ends with 0 when all went well, 1 for wrong options, 3 when an entry cannot be read (those\n"
      "before it have been written), 4 when there is no journal or a file cannot be written.\n"
      "\n"
      "Examples:\n"
      "  pollux journal export /var/lib/pollux -o entries.jsonl\n"
      "  pollux journal export /var/lib/pollux --from 3.1042 --to 1050\n");
  command->callback([options, &exit_code] { exit_code = export_journal(*options); });
}

}  // namespace

void add_journal_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* journal = app.add_subcommand("journal", "Look at a server's journal of entries");
  journal->require_subcommand(1);
  journal->footer(
      "Nothing is changed and no lock is taken: the server may run meanwhile, and a copy will do.\n"
      "\n"
      "Examples:\n"
      "  pollux journal inspect /var/lib/pollux\n"
      "  pollux journal export /var/lib/pollux -o entries.jsonl\n");
  add_inspect_command(*journal, exit_code);
  add_export_command(*journal, exit_code);
}

}  // namespace pollux::tool
