// bench_persistence: what scripts/bench persistence measures, each in a process of its own. Prints
// JSON, an object a line. Exit 1 with a message on the first failure.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "tests/bench/persistence/persist_pause.h"
#include "tests/bench/persistence/start_again.h"

int main(int argc, char** argv) {
  CLI::App app{"Measures what persistence costs; started by scripts/bench persistence."};
  app.require_subcommand(1);
  pollux::bench::PauseOptions pause;
  uint64_t events = 10'000'000;

  CLI::App* pauses = app.add_subcommand("pause", "events come, with and without persisting");
  pauses->add_option("folder", pause.folder, "an empty data directory")->required();
  pauses->add_option("--window-rows", pause.window_rows, "size of the state")
      ->capture_default_str();
  pauses->add_option("--seconds", pause.seconds, "of a measurement")->capture_default_str();
  pauses->add_option("--pairs", pause.pairs, "of measurements")->capture_default_str();
  pauses->add_option("--rate", pause.rate, "events a second")->capture_default_str();

  pauses->add_flag("--sync", pause.sync, "the journal is synced with every commit");

  CLI::App* journal = app.add_subcommand("journal", "events are journaled");
  journal->add_option("folder", pause.folder, "an empty data directory")->required();
  journal->add_option("--events", events, "how many")->capture_default_str();
  CLI::App* recovery = app.add_subcommand("recovery", "a journal is applied again");
  recovery->add_option("folder", pause.folder, "that `journal` left")->required();
  CLI::App* restore = app.add_subcommand("restore", "a state is read back");
  restore->add_option("folder", pause.folder, "that `pause` left")->required();
  CLI11_PARSE(app, argc, argv);

  try {
    if (pauses->parsed()) pollux::bench::measure_pause(pause);
    if (journal->parsed()) pollux::bench::fill_journal(pause.folder, events);
    if (recovery->parsed()) pollux::bench::measure_recovery(pause.folder);
    if (restore->parsed()) pollux::bench::measure_restore(pause.folder);
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "bench_persistence: %s\n", failed.what());
    return 1;
  }
}
