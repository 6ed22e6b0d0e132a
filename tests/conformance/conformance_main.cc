// conformance: runs files of language cases against the engine.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/conformance/case_runner.h"
#include "tests/conformance/differences.h"
#include "tests/conformance/engine_subject.h"

namespace {

using pollux::conformance::CaseOptions;
using pollux::conformance::CaseOutcome;
using pollux::conformance::Difference;

struct Counts {
  int passed = 0, failed = 0, skipped = 0;
};

void run_file(const std::string& name, const CaseOptions& options, const std::string& only,
              const std::map<std::string, Difference>& differences, Counts& counts) {
  std::ifstream file(name);
  if (!file) throw std::runtime_error(name + " cannot be read");
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line.find(only) == std::string::npos) continue;
    CaseOutcome outcome =
        pollux::conformance::run_case(line, pollux::conformance::make_engine_subject, options);
    auto difference = differences.find(outcome.id);
    bool passed = outcome.kind == CaseOutcome::Kind::kPassed;
    if (difference != differences.end() && !passed) {
      ++counts.skipped;
      std::cout << "DIFFERS " << outcome.id << ": " << difference->second.rule << " ("
                << difference->second.own_case << ")\n";
      continue;
    }
    switch (outcome.kind) {
      case CaseOutcome::Kind::kPassed:
        ++counts.passed;
        break;
      case CaseOutcome::Kind::kSkipped:
        ++counts.skipped;
        std::cout << "SKIPPED " << outcome.id << ": " << outcome.why << "\n";
        break;
      case CaseOutcome::Kind::kFailed:
        ++counts.failed;
        std::cout << "FAILED " << outcome.id << ": " << outcome.why << "\n";
        break;
      case CaseOutcome::Kind::kNotTaken:
        ++counts.failed;
        std::cout << "NOT TAKEN " << outcome.id << ": " << outcome.why << "\n";
        break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs language cases (JSON lines) against the engine, on virtual time");
  std::vector<std::string> files;
  CaseOptions options;
  std::string only;
  app.add_option("FILE", files, "Files of cases")->required();
  app.add_option("--rebatch", options.rebatch, "Pack up to N neighbouring sends into one entry")
      ->check(CLI::Range(1, 1 << 20));
  app.add_flag("--snapshot-every-step", options.snapshot_every_step,
               "Save, load and save again each state after every step; both must be the same");
  auto take_dialect = [&options](const std::string& text) {
    options.dialect = *pollux::parse_dialect(text);
  };
  app.add_option_function<std::string>("--dialect", take_dialect,
                                       "Of cases and plans that do not say it (default: 5.1)")
      ->check(CLI::IsMember({"5.1", "3.1"}));
  std::string differing = POLLUX_DIFFERENCES;
  app.add_option("--differences", differing, "Cases that are answered otherwise on purpose");
  app.add_option("--only", only, "Only cases whose line has this text");
  CLI11_PARSE(app, argc, argv);
  Counts counts;
  try {
    auto differences = pollux::conformance::read_differences(differing);
    for (const std::string& file : files) run_file(file, options, only, differences, counts);
  } catch (const std::runtime_error& error) {
    std::cerr << "conformance: " << error.what() << "\n";
    return 2;
  }
  std::cout << counts.passed << " passed, " << counts.failed << " failed, " << counts.skipped
            << " skipped\n";
  return counts.failed == 0 ? 0 : 1;
}
