// polluxd: the command line of the server.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "server/daemon/daemon.h"
#include "server/daemon/settings_endpoints.h"
#include "server/settings/settings_text.h"

namespace {

using pollux::ExitCode;

struct Options {
  std::string config;
  bool check = false;
  bool print_defaults = false;
  bool print_reference = false;
  pollux::StartOrders orders;
};

std::string help_footer() {
  return "Examples:\n"
         "  polluxd                                       defaults, log on stderr\n"
         "  polluxd --print-defaults > pollux.yaml        a file to begin with\n"
         "  polluxd --config pollux.yaml --check          is it right?\n"
         "  POLLUX__HTTP__PORT=9000 polluxd --config pollux.yaml\n"
         "\n"
         "Signals: SIGTERM and SIGINT stop cleanly, a second one at once; SIGHUP reads the\n"
         "settings again, takes over those marked reloadable, and opens the log file anew.\n"
         "Ends with 0 after a clean stop, 1 for wrong options or settings, 2 when it cannot start\n"
         "or go on.\n"
         "\n"
         "Settings, with their defaults. The environment wins over the file: http.port is\n"
         "POLLUX__HTTP__PORT there.\n" +
         pollux::settings_help();
}

bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

bool report(const std::vector<pollux::SettingError>& errors) {
  for (const pollux::SettingError& error : errors) {
    std::fprintf(stderr, "%s\n", pollux::to_text(error).c_str());
  }
  return !errors.empty();
}

ExitCode run(const Options& options) {
  if (options.print_defaults || options.print_reference) {
    const bool printed =
        print(options.print_defaults ? pollux::defaults_file() : pollux::reference_page());
    return printed ? ExitCode::kOk : ExitCode::kFailed;
  }
  const pollux::SettingsSource source{options.config, pollux::process_environment()};
  pollux::LoadedSettings loaded = pollux::load_settings(source);
  if (report(loaded.errors)) return ExitCode::kBadSettings;
  if (report(pollux::check_endpoints(loaded.settings))) return ExitCode::kBadSettings;
  if (options.check) return print("ok\n") ? ExitCode::kOk : ExitCode::kFailed;

  const pollux::Settings& settings = loaded.settings;
  auto log = pollux::Logger::open({.level = settings.log.level,
                                   .format = settings.log.format,
                                   .file = settings.log.file,
                                   .node = settings.node.name});
  if (!log.ok()) {
    std::fprintf(stderr, "%s\n", std::string(log.status().message()).c_str());
    return ExitCode::kFailed;
  }
  return pollux::run_daemon(std::move(loaded.settings), source, **log, options.orders);
}

}  // namespace

int main(int argc, char** argv) {
  // A peer or reader that goes away shows as EPIPE at the write, where it is handled.
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  CLI::App app("polluxd: the Pollux server, one node of it", "polluxd");
  app.set_version_flag("--version", "polluxd " POLLUX_VERSION);
  app.add_option("--config", options.config, "Settings, in YAML; without it, all are defaults")
      ->type_name("FILE");
  auto* check = app.add_flag("--check", options.check,
                             "Report all that is wrong with file and environment, or print ok");
  auto* defaults = app.add_flag("--print-defaults", options.print_defaults,
                                "Print a settings file that holds all defaults");
  app.add_flag("--print-reference", options.print_reference, "Print the page docs/settings.md")
      ->excludes(check, defaults);
  check->excludes(defaults);
  app.add_flag("--forget-rotten-journal", options.orders.forget_rotten_journal,
               "For this start: where the journal has rotted, set it aside and go on from the "
               "states that were written last, without the events behind them");
  app.add_option("--forget-plan", options.orders.forget_plans,
                 "For this start: do without this plan if it cannot be built, as when an extension "
                 "that it needs is gone; its state goes with it")
      ->type_name("PLAN");
  app.footer(help_footer());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come here too, with exit code 0.
    return static_cast<int>(app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kBadSettings);
  }
  ExitCode code = run(options);
  if (code == ExitCode::kStartAgain) {
    // Nothing is open any more; whoever watches this process sees the same one go on.
    ::execv("/proc/self/exe", argv);
    std::perror("polluxd cannot execute itself anew");
    code = ExitCode::kFailed;
  }
  return static_cast<int>(code);
}
