// Whatever the engine takes of the language it must mean as the cases say; the cases from outside
// are skipped, loudly, without their folder.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/conformance/case_runner.h"
#include "tests/conformance/engine_subject.h"

namespace pollux::conformance {
namespace {

class Conformance : public testing::TestWithParam<CaseOptions> {};

TEST_P(Conformance, WhatIsTakenMeansWhatTheCasesSay) {
  const char* folder = std::getenv("POLLUX_CONFORMANCE");
  std::filesystem::path base = folder != nullptr ? folder : POLLUX_CONFORMANCE_DIR;
  std::ifstream file(base / "siddhi-5.1.jsonl");
  if (!file) GTEST_SKIP() << "NO CASES: " << base << " has no siddhi-5.1.jsonl";
  int passed = 0, not_taken = 0;
  std::string line;
  while (std::getline(file, line)) {
    CaseOutcome outcome = run_case(line, make_engine_subject, GetParam());
    if (outcome.kind == CaseOutcome::Kind::kPassed) ++passed;
    if (outcome.kind == CaseOutcome::Kind::kNotTaken) ++not_taken;
    EXPECT_NE(outcome.kind, CaseOutcome::Kind::kFailed) << outcome.id << "\n  " << outcome.why;
  }
  std::cout << "passed " << passed << ", not taken " << not_taken << "\n";
  EXPECT_GT(passed, 0);
}

TEST_P(Conformance, OurOwnCasesPass) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POLLUX_OWN_CASES_DIR)) {
    std::ifstream file(entry.path());
    std::string line;
    while (std::getline(file, line)) {
      CaseOutcome outcome = run_case(line, make_engine_subject, GetParam());
      ++cases;
      EXPECT_EQ(outcome.kind, CaseOutcome::Kind::kPassed)
          << entry.path().filename() << ", case " << outcome.id << "\n  " << outcome.why;
    }
  }
  EXPECT_GT(cases, 0);
}

INSTANTIATE_TEST_SUITE_P(Rebatch, Conformance,
                         testing::Values(CaseOptions{1, false}, CaseOptions{7, false},
                                         CaseOptions{1024, false}, CaseOptions{1, true},
                                         CaseOptions{7, true}),
                         [](const auto& info) {
                           return std::to_string(info.param.rebatch) +
                                  (info.param.snapshot_every_step ? "WithSnapshots" : "");
                         });

}  // namespace
}  // namespace pollux::conformance
