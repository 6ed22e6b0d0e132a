#include "server/node/epoch_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pollux {
namespace {

class EpochFile : public testing::Test {
 protected:
  EpochFile() {
    std::string pattern = testing::TempDir() + "epochXXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~EpochFile() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(EpochFile, EachStartHasItsOwn) {
  std::string inner = directory_ + "/made/on/the/way";
  EXPECT_EQ(begin_epoch(inner)->value, 1);
  EXPECT_EQ(begin_epoch(inner)->value, 2);
  EXPECT_EQ(begin_epoch(inner)->value, 3);
}

TEST_F(EpochFile, ABrokenFileIsNotGuessed) {
  for (const char* content : {"", "x\n", "5", "5 \n", "-1\n", "99999999999999999999999999\n"}) {
    std::ofstream(directory_ + "/epoch") << content;
    auto epoch = begin_epoch(directory_);
    EXPECT_TRUE(absl::IsDataLoss(epoch.status())) << "'" << content << "': " << epoch.status();
  }
}

TEST_F(EpochFile, ADirectoryThatIsNoneIsAnErrorWithItsName) {
  std::ofstream(directory_ + "/file") << "x";
  auto epoch = begin_epoch(directory_ + "/file");
  ASSERT_FALSE(epoch.ok());
  EXPECT_NE(epoch.status().message().find(directory_ + "/file"), std::string::npos);
}

}  // namespace
}  // namespace pollux
