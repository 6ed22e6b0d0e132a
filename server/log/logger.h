// The log of the process.
//
// Thread: any. Logging never fails and waits for nothing but the write. Owner: main; everybody else
// borrows it, and main destroys it last.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/log/log_level.h"
#include "server/log/log_line.h"
#include "server/log/repeat_limiter.h"

namespace pollux {

struct LoggerOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  std::string file = {};  ///< empty: standard error
  std::string node = {};  ///< stands in every line; empty: left out
  RepeatLimit repeat_limit = {};
  /// What repeat limits go by.
  std::function<RepeatLimiter::Time()> clock = [] { return std::chrono::steady_clock::now(); };
};

class Logger {
 public:
  /// An error when the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<Logger>> open(LoggerOptions options);
  /// Tells what is suppressed and not told yet.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  /// Fields may be costly to make: ask first.
  bool enabled(LogLevel level) const;
  void log(LogLevel level, std::string_view message, LogFields fields = {});
  void debug(std::string_view message, LogFields fields = {}) {
    log(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, LogFields fields = {}) {
    log(LogLevel::kInfo, message, fields);
  }
  void warning(std::string_view message, LogFields fields = {}) {
    log(LogLevel::kWarning, message, fields);
  }
  void error(std::string_view message, LogFields fields = {}) {
    log(LogLevel::kError, message, fields);
  }

  /// For what a peer, a client or a broken disk can cause any number of times: at most so many
  /// lines an interval for each `limit` (a word of the code's own), the others are counted.
  void log_limited(LogLevel level, std::string_view limit, std::string_view message,
                   LogFields fields = {});
  /// A line for each limit that suppressed something in an interval that is over. Also done by
  /// log_limited(); to be called now and then so that the count is told when all is quiet.
  void tell_suppressed();

  void set_level(LogLevel level);
  void set_format(LogFormat format);
  /// Goes on in this file, opened anew; after an error in the old one.
  absl::Status reopen(const std::string& file);

 private:
  struct Parts;

  explicit Logger(std::unique_ptr<Parts> parts);
  void tell_suppressed(bool all);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pollux
