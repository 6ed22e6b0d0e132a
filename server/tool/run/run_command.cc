// pollux run: a plan over files, on virtual time. The options; RunJob does the work.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>

#include "server/tool/commands.h"
#include "server/tool/dialect_option.h"
#include "server/tool/parameter_options.h"
#include "server/tool/run/replay_job.h"
#include "server/tool/run/run_job.h"
#include "server/tool/run/run_options.h"
#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

constexpr const char* kDetails =
    "Input. CSV (RFC 4180) with a header is read by name: other columns are ignored, every\n"
    "  attribute needs a column or --set. Without a header the columns are the attributes in\n"
    "  order, less those of --set. An empty field is null, \"\" the empty string; true and false\n"
    "  in any letter case. JSON lines are {\"attribute\": value, ...} or\n"
    "  {\"data\": {...}, \"timestamp\": ms}, the form of the results.\n"
    "\n"
    "Time is that of the events (milliseconds since 1970), never the clock's. It is taken from\n"
    "  --timestamp; else from the \"timestamp\" beside the values of a JSON row; else from the\n"
    "  first attribute named _timestamp, timestamp or ts that is a long; else rows are 1 ms "
    "apart.\n"
    "  Several files are merged by time, at equal times in the order of the options. After the\n"
    "  last row time goes on until all that waits then is due, so that the last time batch comes\n"
    "  out too; --advance says otherwise.\n"
    "\n"
    "Results are JSON lines on standard output, in the order in which the plan made them:\n"
    "  {\"stream\":\"Alerts\",\"timestamp\":1493101044948,\"id\":\"-1234/LoginAlerts/1.17.0\",\n"
    "   \"data\":{\"user\":\"ann\",\"failures\":5}}\n"
    "  id is tenant/plan/epoch.position.ordinal, and the same in every run over the same input\n"
    "  with the same --batch and --out. NaN and the infinities are written as strings.\n"
    "\n"
    "Entries. --entries FILE replays what `pollux journal export` wrote, plans and all, instead "
    "of\n"
    "  running PLAN over files: the results come as subscribers of the server get them, with the\n"
    "  same ids, byte for byte.\n"
    "\n"
    "Errors in rows are told as FILE:LINE: field: reason; the first 20 are printed, all counted.\n"
    "Ends with 0 when all went well, 1 for wrong options, 2 for errors in the plan, 3 for errors\n"
    "in the input with --on-error stop, 4 when a file cannot be read or written or the plan was\n"
    "suspended.\n"
    "\n"
    "Examples:\n"
    "  pollux run plan.siddhi --in Logins=logins.csv\n"
    "  pollux run plan.siddhi --in Logins=day1.csv --in Logins=day2.csv --out Alerts\n"
    "  pollux run plan.siddhi --in Logins=auth.csv --set Logins.tenant=-1234 --timestamp at\n"
    "  pollux journal export /var/lib/pollux | pollux run --entries - --plan Guess\n"
    "  tail -F logins.jsonl | pollux run plan.siddhi --in Logins=- --on-error skip\n";

std::string check_duration(const std::string& text) {
  if (text == kAdvanceNone || text == kAdvanceMax || parse_duration_ms(text)) return {};
  return "expected max, none, or a number and a unit as in 500ms, 90s, 5min, 2h, 1day";
}

/// What a replay takes; the rest is of runs over files.
constexpr const char* kOfReplays[] = {"--help", "--entries", "--plan", "--extension", "--geo"};

ExitCode run(CLI::App& command, const RunOptions& options) {
  if (options.entries.empty()) {
    for (const char* needed : {"PLAN", "--in"}) {
      if (command.count(needed) == 0) throw CLI::RequiredError(needed);
    }
    return RunJob(options, STDOUT_FILENO).run();
  }
  for (const CLI::Option* option : command.get_options()) {
    bool fits = std::any_of(std::begin(kOfReplays), std::end(kOfReplays),
                            [&](const char* known) { return option->check_name(known); });
    if (!fits && option->count() > 0) {
      throw CLI::ExcludesError("--entries", option->get_name());
    }
  }
  return ReplayJob(options, STDOUT_FILENO).run();
}

}  // namespace

void add_run_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* command =
      app.add_subcommand("run", "Run a plan over files; results as JSON lines on standard output");
  auto options = std::make_shared<RunOptions>();
  RunOptions& to = *options;
  command->add_option("PLAN", to.plan_path, "The plan, in SiddhiQL");
  command->add_option("--in", to.inputs, "A file of events for a stream; - is standard input")
      ->allow_extra_args(false)
      ->type_name("STREAM=FILE");
  command
      ->add_option("--out", to.outputs,
                   "Streams that are results (default: those that no query reads)")
      ->type_name("STREAM");
  command->add_option("--timestamp", to.timestamps, "The attribute that carries the event's time")
      ->allow_extra_args(false)
      ->type_name("[STREAM.]ATTRIBUTE");
  command->add_option("--set", to.constants, "A value for an attribute that the file lacks")
      ->allow_extra_args(false)
      ->type_name("STREAM.ATTRIBUTE=VALUE");
  add_parameter_option(*command, "--param", to.parameters);
  add_input_options(*command, to.input);
  command
      ->add_option("--batch", to.batch_rows,
                   "Rows handed to the engine at once; never changes "
                   "a result's content")
      ->check(CLI::Range(1u, 65536u))
      ->type_name("ROWS")
      ->capture_default_str();
  command
      ->add_option("--advance", to.advance,
                   "How time goes on after the last row: not at all, for so long (90s, 5min, 2h), "
                   "or until all that waits then is due (default: max)")
      ->check(CLI::Validator(check_duration, ""))
      ->type_name("DURATION|none|max");
  command
      ->add_option("--query", to.queries,
                   "A question to the plan's tables, asked at the end: \"from TABLE select ...\"")
      ->allow_extra_args(false)
      ->type_name("QUERY");
  add_dialect_option(*command, to.dialect);
  command->add_flag("--stats", to.stats, "Time, events per second and state in the summary");
  CLI::Option* entries =
      command
          ->add_option("--entries", to.entries,
                       "Replay the entries of a server's journal instead; - is standard input")
          ->type_name("FILE");
  command->add_option("--plan", to.plans, "Of a replay: show only the results of this plan")
      ->needs(entries)
      ->allow_extra_args(false)
      ->type_name("NAME");
  add_function_options(*command, to.functions);
  command->footer(kDetails);
  command->callback([options, command, &exit_code] { exit_code = run(*command, *options); });
}

}  // namespace pollux::tool
