// What connections of released versions carried is still read, and what once did harm does none.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/wire_probe.h"

namespace pollux {
namespace {

std::vector<std::filesystem::path> files_of(const char* folder) {
  std::vector<std::filesystem::path> paths;
  std::filesystem::path all = std::filesystem::path(POLLUX_FUZZ_DIR) / folder;
  if (!std::filesystem::exists(all)) return paths;
  for (const auto& entry : std::filesystem::directory_iterator(all)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(WireCorpus, EveryFrameOfItIsTaken) {
  std::vector<std::filesystem::path> paths = files_of("wire_corpus");
  ASSERT_GE(paths.size(), 11u);
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path);
    std::string bytes = bytes_of(path);
    WireProbe probe = probe_wire(bytes);
    EXPECT_GE(probe.frames, 3u);
    EXPECT_EQ(probe.taken, probe.frames);
    EXPECT_EQ(probe_mended_wire(bytes).taken, probe.taken) << "there is nothing to mend";
  }
}

TEST(WireCorpus, DamageBehindRightChecksumsDoesNoHarm) {
  size_t frames = 0;
  size_t taken = 0;
  for (const std::filesystem::path& path : files_of("wire_corpus")) {
    std::string bytes = bytes_of(path);
    for (size_t at = 0; at < bytes.size(); at += 1 + at / 300) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
      WireProbe probe = probe_mended_wire(damaged);
      frames += probe.frames;
      taken += probe.taken;
    }
  }
  EXPECT_GT(frames, taken);
  EXPECT_GT(taken, 0u);
}

TEST(WireCorpus, FindingsDoNoHarmAnyMore) {
  for (const std::filesystem::path& path : files_of("wire_findings")) {
    SCOPED_TRACE(path);
    std::string bytes = bytes_of(path);
    probe_wire(bytes);
    probe_mended_wire(bytes);
  }
}

}  // namespace
}  // namespace pollux
