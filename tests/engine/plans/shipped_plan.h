// The text of a plan of conf/plans/, parameters filled in.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "engine/language/parameters.h"

namespace pollux::test {

inline std::string shipped_plan(const std::string& name, const PlanParameters& parameters = {}) {
  std::ifstream file(POLLUX_SOURCE_DIR "/conf/plans/" + name + ".siddhi");
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  FilledText filled(text.str(), parameters);
  EXPECT_TRUE(filled.errors().empty());
  return filled.text();
}

}  // namespace pollux::test
