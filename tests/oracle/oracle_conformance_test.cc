// Runs the language cases that the oracle can take; skips, loudly, without their folder.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/conformance/case_runner.h"
#include "tests/oracle/oracle_subject.h"

namespace pollux::oracle {
namespace {

using conformance::CaseOutcome;

std::filesystem::path cases_file() {
  const char* folder = std::getenv("POLLUX_CONFORMANCE");
  std::filesystem::path base = folder != nullptr ? folder : POLLUX_CONFORMANCE_DIR;
  return base / "siddhi-5.1.jsonl";
}

TEST(OracleConformance, TakesTheCasesOfItsLanguage) {
  std::ifstream file(cases_file());
  if (!file) GTEST_SKIP() << "NO CASES: " << cases_file() << " cannot be read";
  int passed = 0, failed = 0;
  std::map<std::string, int> skipped;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty()) continue;
    CaseOutcome outcome = conformance::run_case(line, make_oracle_subject);
    switch (outcome.kind) {
      case CaseOutcome::Kind::kPassed:
        ++passed;
        break;
      case CaseOutcome::Kind::kFailed:
        ++failed;
        ADD_FAILURE() << outcome.id << "\n  " << outcome.why;
        break;
      case CaseOutcome::Kind::kSkipped:
      case CaseOutcome::Kind::kNotTaken:
        ++skipped[outcome.why];
        break;
    }
  }
  int not_taken = 0;
  for (const auto& [why, count] : skipped) {
    not_taken += count;
    std::cout << "skipped " << count << ": " << why << "\n";
  }
  std::cout << "passed " << passed << ", failed " << failed << ", skipped " << not_taken << "\n";
  EXPECT_GT(passed, 0);
}

}  // namespace
}  // namespace pollux::oracle
