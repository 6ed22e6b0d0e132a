// A folder that lives as long as its object.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace pollux {

/// Where to make folders whose files need not last: in memory, where there is room for a database.
inline std::string memory_folder() {
  constexpr uintmax_t kRoom = 512 * 1024 * 1024;
  std::error_code error;
  std::filesystem::space_info space = std::filesystem::space("/dev/shm", error);
  return !error && space.available > kRoom ? "/dev/shm" : "/tmp";
}

class TempFolder {
 public:
  /// In `parent`; short, since paths of unix sockets must be.
  explicit TempFolder(const std::string& parent = "/tmp") : path_(parent + "/plx_XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr) << path_;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    EXPECT_FALSE(error) << path_ << ": " << error.message();
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace pollux
