// Whatever the engine takes of the language it must mean as the cases say; the cases from outside
// are skipped, loudly, without their folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "tests/conformance/case_runner.h"
#include "tests/conformance/differences.h"
#include "tests/conformance/engine_subject.h"

namespace pollux::conformance {
namespace {

class Conformance : public testing::TestWithParam<CaseOptions> {};

void run_outside_cases(const char* name, CaseOptions options, Dialect dialect) {
  options.dialect = dialect;
  const char* folder = std::getenv("POLLUX_CONFORMANCE");
  std::filesystem::path base = folder != nullptr ? folder : POLLUX_CONFORMANCE_DIR;
  std::ifstream file(base / name);
  if (!file) GTEST_SKIP() << "NO CASES: " << base << " has no " << name;
  const auto differences = read_differences(POLLUX_DIFFERENCES);
  int passed = 0, not_taken = 0;
  std::string line;
  while (std::getline(file, line)) {
    CaseOutcome outcome = run_case(line, make_engine_subject, options);
    if (outcome.kind == CaseOutcome::Kind::kPassed) ++passed;
    if (outcome.kind == CaseOutcome::Kind::kNotTaken) ++not_taken;
    if (differences.count(outcome.id) != 0) {
      EXPECT_NE(outcome.kind, CaseOutcome::Kind::kPassed) << outcome.id << " differs no more";
      continue;
    }
    EXPECT_NE(outcome.kind, CaseOutcome::Kind::kFailed) << outcome.id << "\n  " << outcome.why;
  }
  std::cout << "passed " << passed << ", not taken " << not_taken << "\n";
  EXPECT_GT(passed, 0);
}

TEST_P(Conformance, WhatIsTakenMeansWhatTheCasesSay) {
  run_outside_cases("siddhi-5.1.jsonl", GetParam(), Dialect::k51);
}

TEST_P(Conformance, WhatIsTakenOf31MeansWhatTheCasesSay) {
  run_outside_cases("siddhi-3.1.jsonl", GetParam(), Dialect::k31);
}

TEST_P(Conformance, OurOwnCasesPass) {
  int cases = 0;
  std::set<std::string> ids;
  for (const auto& entry : std::filesystem::directory_iterator(POLLUX_OWN_CASES_DIR)) {
    std::ifstream file(entry.path());
    std::string line;
    while (std::getline(file, line)) {
      CaseOutcome outcome = run_case(line, make_engine_subject, GetParam());
      ++cases;
      ids.insert(outcome.id);
      EXPECT_EQ(outcome.kind, CaseOutcome::Kind::kPassed)
          << entry.path().filename() << ", case " << outcome.id << "\n  " << outcome.why;
    }
  }
  EXPECT_GT(cases, 0);
  for (const auto& [id, difference] : read_differences(POLLUX_DIFFERENCES)) {
    EXPECT_EQ(ids.count(difference.own_case), 1U) << id << " is held by no case of ours";
  }
}

/// The cases of a file about tables that have a primary key; the rest would change nothing.
int run_with_stores(const std::filesystem::path& path, CaseOptions options) {
  options.stored = true;
  const auto differences = read_differences(POLLUX_DIFFERENCES);
  std::ifstream file(path);
  int cases = 0;
  std::string line;
  while (std::getline(file, line)) {
    std::string text = line;
    std::transform(text.begin(), text.end(), text.begin(), ::tolower);
    if (text.find("@primarykey") == std::string::npos) continue;
    CaseOutcome outcome = run_case(line, make_engine_subject, options);
    cases += outcome.kind == CaseOutcome::Kind::kPassed ? 1 : 0;
    if (differences.count(outcome.id) != 0) continue;
    EXPECT_NE(outcome.kind, CaseOutcome::Kind::kFailed) << outcome.id << "\n  " << outcome.why;
  }
  return cases;
}

TEST_P(Conformance, TablesInAStoreMeanWhatThoseInMemoryDo) {
  int own = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POLLUX_OWN_CASES_DIR)) {
    own += run_with_stores(entry.path(), GetParam());
  }
  EXPECT_GT(own, 15);
  const char* folder = std::getenv("POLLUX_CONFORMANCE");
  std::filesystem::path base = folder != nullptr ? folder : POLLUX_CONFORMANCE_DIR;
  if (!std::filesystem::exists(base / "siddhi-5.1.jsonl")) GTEST_SKIP() << "NO CASES: " << base;
  EXPECT_GT(run_with_stores(base / "siddhi-5.1.jsonl", GetParam()), 25);
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
