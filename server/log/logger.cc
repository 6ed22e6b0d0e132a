#include "server/log/logger.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "server/log/log_file.h"

namespace pollux {

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

/// Lines come finished; spdlog brings the levels and the lock.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  absl::Status open(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return file_.open(path);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    file_.write({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  LogFile file_;
};

}  // namespace

struct Logger::Parts {
  Parts(LoggerOptions given, std::shared_ptr<LineSink> lines)
      : options(std::move(given)),
        sink(lines),
        logger("pollux", std::move(lines)),
        format(options.format),
        limiter(options.repeat_limit) {
    logger.set_level(spdlog_level(options.level));
  }

  const LoggerOptions options;
  const std::shared_ptr<LineSink> sink;  // spdlog's logger wants its sinks shared
  spdlog::logger logger;
  std::atomic<LogFormat> format;
  RepeatLimiter limiter;
};

absl::StatusOr<std::unique_ptr<Logger>> Logger::open(LoggerOptions options) {
  auto sink = std::make_shared<LineSink>();
  if (absl::Status status = sink->open(options.file); !status.ok()) return status;
  return std::unique_ptr<Logger>(
      new Logger(std::make_unique<Parts>(std::move(options), std::move(sink))));
}

Logger::Logger(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Logger::~Logger() { tell_suppressed(true); }

bool Logger::enabled(LogLevel level) const {
  return parts_->logger.should_log(spdlog_level(level));
}

void Logger::log(LogLevel level, std::string_view message, LogFields fields) {
  if (!enabled(level)) return;
  const std::string line =
      log_line({std::chrono::system_clock::now(), level, parts_->options.node, message, fields},
               parts_->format.load(std::memory_order_relaxed));
  parts_->logger.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

void Logger::log_limited(LogLevel level, std::string_view limit, std::string_view message,
                         LogFields fields) {
  if (!enabled(level)) return;
  // Before the message that opens a new interval: the count belongs to the one before.
  tell_suppressed(false);
  if (parts_->limiter.admit(limit, parts_->options.clock())) log(level, message, fields);
}

void Logger::tell_suppressed() { tell_suppressed(false); }

void Logger::tell_suppressed(bool all) {
  for (const auto& held : parts_->limiter.take_suppressed(parts_->options.clock(), all)) {
    log(LogLevel::kWarning, "messages were suppressed",
        {{"limit", held.name}, {"suppressed", held.count}});
  }
}

void Logger::set_level(LogLevel level) { parts_->logger.set_level(spdlog_level(level)); }

void Logger::set_format(LogFormat format) {
  parts_->format.store(format, std::memory_order_relaxed);
}

absl::Status Logger::reopen(const std::string& file) { return parts_->sink->open(file); }

}  // namespace pollux
