// Shared libraries with functions, as the server loads them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/runtime/engine.h"
#include "server/extensions/extension_loader.h"

namespace pollux {
namespace {

namespace fs = std::filesystem;

class ExtensionLoaderTest : public testing::Test {
 protected:
  ExtensionLoaderTest() { fs::create_directory(folder_); }
  ~ExtensionLoaderTest() override { fs::remove_all(folder_); }

  fs::path folder_ = fs::temp_directory_path() / ("extensions" + std::to_string(::getpid()));
};

TEST_F(ExtensionLoaderTest, LibrariesOfAFolderAreLoadedAndOthersAreNot) {
  fs::copy(POLLUX_SAMPLE_EXTENSION, folder_ / "sample.so");
  std::ofstream(folder_ / "notes.txt") << "no library";
  absl::StatusOr<size_t> loaded = load_extensions(folder_.string());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(*loaded, 5u);
  EXPECT_TRUE(Engine::validate("define stream S (a long); from S select sample:twice(a) as x "
                               "insert into Out;")
                  .empty());
}

TEST_F(ExtensionLoaderTest, WhatIsNoLibraryIsTold) {
  std::ofstream(folder_ / "broken.so") << "no library";
  absl::StatusOr<size_t> loaded = load_extensions(folder_.string());
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.status().message().find("broken.so cannot be loaded"), std::string::npos);
}

TEST_F(ExtensionLoaderTest, AFolderThatIsNotThereIsTold) {
  absl::StatusOr<size_t> loaded = load_extensions((folder_ / "none").string());
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.status().message().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace pollux
