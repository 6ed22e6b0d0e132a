#include "storage/rocks/info_log.h"

#include <rocksdb/env.h>

#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <mutex>
#include <utility>

namespace pollux::rocks {
namespace {

constexpr std::streamoff kFileBytesMax = 1024 * 1024;
constexpr size_t kLineBytesMax = 4096;

class InfoLog : public rocksdb::Logger {
 public:
  explicit InfoLog(std::string path)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL),
        path_(std::move(path)),
        file_(path_, std::ios::app) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[kLineBytesMax];
    if (std::vsnprintf(line, sizeof(line), format, arguments) < 0) return;
    std::lock_guard lock(mutex_);
    if (!file_ || file_.tellp() > kFileBytesMax) file_ = std::ofstream(path_, std::ios::trunc);
    file_ << std::time(nullptr) << ' ' << line << '\n' << std::flush;
  }

 private:
  const std::string path_;
  std::mutex mutex_;
  std::ofstream file_;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_info_log(const std::string& directory) {
  return std::make_shared<InfoLog>(directory + "/LOG");
}

}  // namespace pollux::rocks
