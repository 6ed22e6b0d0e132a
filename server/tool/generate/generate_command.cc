// `pollux generate`: the command line of generate_job.h.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>

#include "server/tool/commands.h"
#include "server/tool/generate/generate_job.h"

namespace pollux::tool {
namespace {

constexpr const char* kDetails =
    "Events are those of stream OverallAuthentication: CSV by its attributes' names, or JSON "
    "lines.\n"
    "\n"
    "Attacks: suspicious-login, password-spraying, brute-force, new-country. Near-misses, which "
    "must\n"
    "  not raise an alert: four-failures, late-fifth-failure, two-tenants, busy-nat, traveller.\n"
    "  Ordinary traffic never looks like an attack by chance. Attacks need at least 18 hours and "
    "some\n"
    "  thousand users.\n"
    "\n"
    "Examples:\n"
    "  pollux generate --days 2 --out logins.csv --ledger ledger.jsonl\n"
    "  pollux generate --format json --attacks 0 --hours 1 | pollux run plan.siddhi \\\n"
    "      --in OverallAuthentication=-\n";

struct Arguments {
  traffic::GenerateJob job;
  std::string start = "2026-01-05T00:00:00Z";
  std::string format = "csv";
  int64_t days = 0;
  int64_t hours = 0;
};

ExitCode exit_code_of(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? ExitCode::kUsage : ExitCode::kFailed;
}

ExitCode run(Arguments& arguments) {
  auto fail = [](const absl::Status& status) {
    std::cerr << "pollux generate: " << status.message() << '\n';
    return exit_code_of(status);
  };
  traffic::TrafficOptions& options = arguments.job.traffic;
  auto start_ms = traffic::parse_start(arguments.start);
  if (!start_ms.ok()) return fail(start_ms.status());
  options.start_ms = *start_ms;
  if (arguments.days != 0 || arguments.hours != 0) {
    options.duration_ms = arguments.days * traffic::kDayMs + arguments.hours * traffic::kHourMs;
  }
  arguments.job.format =
      arguments.format == "json" ? traffic::RowFormat::kJson : traffic::RowFormat::kCsv;
  // A closed pipe is an error of the write that finds it, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  auto summary = traffic::generate(arguments.job);
  if (absl::IsCancelled(summary.status())) return ExitCode::kOk;
  if (!summary.ok()) return fail(summary.status());
  std::cerr << summary->events << " events: " << summary->overall_successes
            << " successful logins, " << summary->step_failures << " failed steps; "
            << options.attacks_per_kind * std::size(traffic::kAttackKinds) << " attacks, "
            << options.attacks_per_kind * std::size(traffic::kAttackKinds) *
                   std::size(traffic::kNearMissKinds)
            << " near-misses\n";
  return ExitCode::kOk;
}

}  // namespace

void add_generate_command(CLI::App& app, ExitCode& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  traffic::TrafficOptions& options = arguments->job.traffic;
  CLI::App* command = app.add_subcommand(
      "generate", "Make realistic sign-in traffic with attacks and near-misses in it");
  command->add_option("--out", arguments->job.out, "Where the events go; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--ledger", arguments->job.ledger,
                   "Where the attacks and near-misses are written down, as JSON lines")
      ->type_name("FILE");
  command
      ->add_option("--format", arguments->format, "Of the events: CSV with a header, or JSON lines")
      ->check(CLI::IsMember({"csv", "json"}).description(""))
      ->type_name("csv|json")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Equal seeds give equal traffic")
      ->type_name("NUMBER")
      ->capture_default_str();
  command
      ->add_option("--start", arguments->start,
                   "First instant, in UTC or as milliseconds since 1970")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--days", arguments->days, "How long; added to --hours (default: 1 day)")
      ->check(CLI::Range(int64_t{0}, int64_t{366}).description(""))
      ->type_name("DAYS");
  command->add_option("--hours", arguments->hours, "How long; added to --days")
      ->check(CLI::Range(int64_t{0}, int64_t{366 * 24}).description(""))
      ->type_name("HOURS");
  command->add_option("--users", options.users, "People and service accounts")
      ->type_name("COUNT")
      ->capture_default_str();
  command->add_option("--events-per-day", options.events_per_day, "Of the ordinary traffic")
      ->type_name("COUNT")
      ->capture_default_str();
  command
      ->add_option("--attacks", options.attacks_per_kind,
                   "Of each kind; each attack comes with five near-misses")
      ->type_name("COUNT")
      ->capture_default_str();
  command->footer(kDetails);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace pollux::tool
