// Every plan of the shared language cases that is expected to run is read without a diagnostic.
#include <gtest/gtest.h>

#include <iostream>

#include "engine/language/parser.h"
#include "tests/engine/language/shared_cases.h"

namespace pollux {
namespace {

class ConformanceParse : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = test::shared_folder();
    if (!folder) {
      GTEST_SKIP() << "no shared language cases: set POLLUX_SHARED to the folder that holds "
                      "conformance/*.jsonl";
    }
    cases_ = test::read_shared_cases(*folder);
  }

  std::vector<test::SharedCase> cases_;
};

TEST_F(ConformanceParse, PlansThatRunAreGrammatical) {
  size_t plans = 0;
  for (const auto& one : cases_) {
    if (one.fails) continue;
    for (const std::string& text : one.plans) {
      ParseResult result = parse_plan(text);
      EXPECT_TRUE(result.diagnostics.empty()) << to_text(result.diagnostics, one.id) << text;
      ++plans;
    }
  }
  EXPECT_GT(plans, cases_.size() / 2);
  std::cout << plans << " plans read\n";
}

TEST_F(ConformanceParse, OnDemandQueriesThatRunAreGrammatical) {
  size_t queries = 0;
  for (const auto& one : cases_) {
    for (const std::string& text : one.on_demand) {
      OnDemandResult result = parse_on_demand_query(text);
      EXPECT_TRUE(result.diagnostics.empty()) << to_text(result.diagnostics, one.id) << text;
      ++queries;
    }
  }
  EXPECT_GT(queries, 0u);
  std::cout << queries << " on-demand queries read\n";
}

}  // namespace
}  // namespace pollux
