// The page of functions and aggregates is the one that the engine's tables write.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/planner/language_reference.h"

namespace pollux {
namespace {

TEST(LanguageReference, ThePageIsTheOneWrittenFromTheTables) {
  std::ifstream file(POLLUX_REFERENCE_PAGE);
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), language_reference())
      << "bin/language_reference > docs/siddhiql-functions.md writes it anew";
}

TEST(LanguageReference, EveryLineSaysWhatItIs) {
  std::istringstream page(language_reference());
  std::string line;
  while (std::getline(page, line)) {
    if (line.substr(0, 3) != "| `") continue;
    EXPECT_EQ(line.find("` |  |"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace pollux
