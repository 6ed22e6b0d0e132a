// The texts that fuzzers begin with, and those that once did harm, without a fuzzer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/language/diagnostics.h"
#include "engine/runtime/engine.h"
#include "tests/fuzz/plan_probe.h"

namespace pollux {
namespace {

std::vector<std::filesystem::path> files_of(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(POLLUX_FUZZ_DIR) / folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(FuzzCorpus, TextsOfTheCorpusAreValidAndDoNoHarm) {
  std::vector<std::filesystem::path> paths = files_of("corpus");
  ASSERT_GE(paths.size(), 10u);
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path);
    std::string text = text_of(path);
    EXPECT_EQ(to_text(Engine::validate(text), path.filename()), "");
    probe_plan(text);
  }
}

TEST(FuzzCorpus, FindingsDoNoHarmAnyMore) {
  for (const std::filesystem::path& path : files_of("findings")) {
    SCOPED_TRACE(path);
    probe_plan(text_of(path));
  }
}

}  // namespace
}  // namespace pollux
