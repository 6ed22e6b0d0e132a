// Random plans on random events: the engine, with its input packed in batches of up to 1, 7 and
// 1024 rows, must give the oracle's rows in the oracle's order.
//
//   differential [--plans N] [--seed S] [--first K] [--failures M] [--whole]
//
// Case k of seed S depends on S + k alone. After a failure the case is made smaller (unless
// --whole) and printed with how to repeat it; up to M failures (default 1) are shown.
//
// A case whose queries multiply rows beyond measure is compared on its first input rows only. How
// many cases and rows that concerns is printed, and more than a small share of them fails the run.
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/oracle/differential.h"

namespace pollux::oracle {
namespace {

struct Settings {
  uint64_t plans = 1500;
  uint64_t seed = 1;
  uint64_t first = 0;
  uint64_t failures = 1;
  bool whole = false;
};
Settings settings;

// Plans grow with their number, up to six queries.
int size_of(uint64_t number) { return 1 + static_cast<int>(number % 6); }

uint64_t seed_of(uint64_t number) { return settings.seed * 1000000007 + number; }

void report(uint64_t number, const RandomCase& failed) {
  RandomCase shown = settings.whole ? failed : minimised(failed);
  ADD_FAILURE() << "case " << number << " of seed " << settings.seed << "; repeat it with\n  "
                << "differential --seed " << settings.seed << " --first " << number
                << " --plans 1\n"
                << shown.plan() << shown.events() << compared(shown).difference.value_or("(gone)");
}

// Of how much cases were cut: a count and its share of all.
struct Share {
  uint64_t part = 0;
  uint64_t all = 0;

  double percent() const { return all == 0 ? 0 : 100.0 * static_cast<double>(part) / all; }
  std::string text() const {
    std::ostringstream text;
    text << part << " of " << all << " (" << std::fixed << std::setprecision(2) << percent()
         << " %)";
    return text.str();
  }
};

// Above these shares the comparison says too little. Runs of a few cases may lie above by chance.
constexpr double kCutPercentMax = 1.0;
constexpr uint64_t kJudgedFrom = 1000;

TEST(Differential, EngineAgreesWithTheOracle) {
  uint64_t failures = 0;
  uint64_t result_rows = 0;
  Share cut_cases, cut_rows;
  uint64_t last = settings.first + settings.plans;
  for (uint64_t number = settings.first; number < last; ++number) {
    RandomCase made = random_case(seed_of(number), size_of(number));
    Comparison comparison = compared(made);
    result_rows += comparison.result_rows;
    ++cut_cases.all;
    cut_cases.part += comparison.cut ? 1 : 0;
    cut_rows.all += comparison.input_rows;
    cut_rows.part += comparison.input_rows_left_out;
    if (!comparison.difference) continue;
    report(number, made);
    if (++failures == settings.failures) break;
  }
  EXPECT_GT(result_rows, 0u) << "no plan gave a row";
  std::cout << cut_cases.all << " plans, " << result_rows << " rows of results, " << failures
            << " differences\n"
            << "cut, because queries multiply rows: plans " << cut_cases.text() << ", input rows "
            << cut_rows.text() << "\n";
  if (cut_cases.all < kJudgedFrom) return;
  EXPECT_LE(cut_cases.percent(), kCutPercentMax) << "too many plans are not run to their end";
  EXPECT_LE(cut_rows.percent(), kCutPercentMax) << "too many input rows are left out";
}

bool read_settings(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    std::string name = arguments[i];
    if (name == "--whole") {
      settings.whole = true;
      continue;
    }
    uint64_t* number = name == "--plans"      ? &settings.plans
                       : name == "--seed"     ? &settings.seed
                       : name == "--first"    ? &settings.first
                       : name == "--failures" ? &settings.failures
                                              : nullptr;
    if (number == nullptr || i + 1 == count) {
      std::cerr << "usage: differential [--plans N] [--seed S] [--first K] [--failures M] "
                   "[--whole]\n";
      return false;
    }
    *number = std::strtoull(arguments[++i], nullptr, 10);
  }
  return true;
}

}  // namespace
}  // namespace pollux::oracle

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  if (!pollux::oracle::read_settings(count, arguments)) return 2;
  return RUN_ALL_TESTS();
}
