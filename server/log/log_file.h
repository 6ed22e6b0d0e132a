// Where log lines go: a file that is appended to, or standard error.
//
// Each line is one write, so that several processes may share a file. A file that cannot be written
// (disk full, device gone) costs no line: lines go to standard error until it can be written again,
// and both ends of that time are told there. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pollux {

class LogFile {
 public:
  /// Standard error.
  LogFile() = default;
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// From now on to the file at `path`, which is made where there is none; empty: standard error.
  /// An error names the path, and lines go on to where they went. The same path again opens the
  /// file anew: for those who have moved the old one away.
  absl::Status open(const std::string& path);
  /// `line` ends with a line end.
  void write(std::string_view line);

 private:
  void close();
  void write_to_stderr(std::string_view line);

  std::string path_;
  int fd_ = -1;            ///< -1: standard error
  uint64_t diverted_ = 0;  ///< lines that went to standard error since the file failed
  bool torn_ = false;      ///< the file's last line lacks its end
};

}  // namespace pollux
