// Runs shell commands in a folder of their own, with `pollux` on the PATH.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace pollux {

struct ShellResult {
  int exit_code = -1;
  std::string out;
  std::string err;
  long memory_kib = 0;  ///< the most that any process of the command held
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

class ShellTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "pollux_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// Starts `command` in a bash; a descriptor that is -1 becomes a file in the folder.
  pid_t start(const std::string& command, int in = -1, int out = -1) const {
    pid_t child = ::fork();
    if (child != 0) return child;
    auto open_in_folder = [&](const char* name, int flags) {
      return ::open((folder_ / name).c_str(), flags | O_CLOEXEC, 0600);
    };
    if (in < 0) in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (out < 0) out = open_in_folder(".out", O_WRONLY | O_CREAT | O_TRUNC);
    int err = open_in_folder(".err", O_WRONLY | O_CREAT | O_TRUNC);
    bool ready = ::dup2(in, 0) == 0 && ::dup2(out, 1) == 1 && ::dup2(err, 2) == 2 &&
                 ::chdir(folder_.c_str()) == 0;
    std::string path = std::filesystem::path(POLLUX_BINARY).parent_path().string();
    ::setenv("PATH", (path + ":" + std::getenv("PATH")).c_str(), 1);
    if (ready) ::execlp("bash", "bash", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ShellResult finish(pid_t child) const {
    int status = 0;
    rusage usage{};
    EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(".out"), read(".err"),
            usage.ru_maxrss};
  }
  ShellResult shell(const std::string& command) const { return finish(start(command)); }

 private:
  std::filesystem::path folder_;
};

}  // namespace pollux
