#include "server/tool/generate/generate_job.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "server/tool/generate/injections.h"
#include "server/tool/generate/population.h"
#include "server/tool/generate/traffic.h"
#include "server/tool/generate/trips.h"

namespace pollux::traffic {
namespace {

constexpr size_t kWriteBytes = size_t{1} << 20;

/// A file that collects its bytes before writing them. Errors stay: close() tells of the first.
class OutputFile {
 public:
  static absl::StatusOr<OutputFile> open(const std::string& path) {
    std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
    if (file == nullptr) {
      return absl::UnavailableError("cannot write " + path + ": " + std::strerror(errno));
    }
    return OutputFile(path, file);
  }

  std::string& buffer() { return buffer_; }

  bool flush_when_full() { return buffer_.size() < kWriteBytes || flush(); }

  absl::Status close() {
    flush();
    bool standard = file_.get() == stdout;
    std::FILE* file = file_.release();
    if (standard ? std::fflush(file) != 0 : std::fclose(file) != 0) fail();
    if (error_ == 0) return absl::OkStatus();
    if (error_ == EPIPE) return absl::CancelledError("the reader of " + path_ + " went away");
    return absl::UnavailableError("cannot write " + path_ + ": " + std::strerror(error_));
  }

 private:
  struct Close {
    // Reached only when something else failed before close(): what is lost is reported there.
    void operator()(std::FILE* file) const {
      if (file != stdout) static_cast<void>(std::fclose(file));
    }
  };

  OutputFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {
    buffer_.reserve(kWriteBytes + 4096);
  }

  bool flush() {
    if (error_ == 0 &&
        std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size()) {
      fail();
    }
    buffer_.clear();
    return error_ == 0;
  }

  void fail() {
    if (error_ == 0) error_ = errno != 0 ? errno : EIO;
  }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string buffer_;
  int error_ = 0;
};

absl::Status check(const TrafficOptions& options) {
  auto invalid = [](const std::string& text) { return absl::InvalidArgumentError(text); };
  if (options.users < kUsersMin || options.users > kUsersMax) {
    return invalid("--users must be from " + std::to_string(kUsersMin) + " to " +
                   std::to_string(kUsersMax));
  }
  if (options.events_per_day == 0 || options.events_per_day > kEventsPerDayMax) {
    return invalid("--events-per-day must be from 1 to " + std::to_string(kEventsPerDayMax));
  }
  if (options.duration_ms <= 0 || options.duration_ms > kDurationMaxMs) {
    return invalid("--days and --hours must give from 1 hour to 366 days");
  }
  if (options.attacks_per_kind > kAttacksMax) {
    return invalid("--attacks must be at most " + std::to_string(kAttacksMax));
  }
  if (options.attacks_per_kind != 0 && options.duration_ms < kDurationWithAttacksMinMs) {
    return invalid("attacks and their near-misses need at least " +
                   std::to_string(kDurationWithAttacksMinMs / kHourMs) +
                   " hours (a traveller's flight takes its time); give --hours 18 or --attacks 0");
  }
  if (options.start_ms < kDayMs) return invalid("--start must be after 1970-01-01");
  return absl::OkStatus();
}

absl::Status write_ledger(const GenerateJob& job, const Injections& injections,
                          const Population& population, const TrafficSummary& summary) {
  if (job.ledger.empty()) return absl::OkStatus();
  auto file = OutputFile::open(job.ledger);
  if (!file.ok()) return file.status();
  for (const Injection& injection : injections.list) {
    append_ledger_line(injection, population, job.traffic.seed, file->buffer());
    if (!file->flush_when_full()) return file->close();
  }
  append_ledger_line(summary, job.traffic.seed, file->buffer());
  return file->close();
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "days_from_civil").
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = year / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int64_t days_in_month(int64_t year, int64_t month) {
  int64_t next =
      month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);
  return next - days_from_civil(year, month, 1);
}

}  // namespace

absl::StatusOr<int64_t> parse_start(const std::string& text) {
  int64_t ms = 0;
  const char* end = text.data() + text.size();
  if (auto [at, error] = std::from_chars(text.data(), end, ms); error == std::errc() && at == end) {
    return ms;
  }
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  int fields = std::sscanf(text.c_str(), "%4d-%2d-%2d%nT%2d:%2d%n:%2d%n", &year, &month, &day,
                           &used, &hour, &minute, &used, &second, &used);
  std::string_view rest = std::string_view(text).substr(static_cast<size_t>(used));
  bool complete = (fields == 3 || fields >= 5) && (rest.empty() || rest == "Z");
  bool in_range = year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
                  day <= days_in_month(year, month) && hour >= 0 && hour < 24 && minute >= 0 &&
                  minute < 60 && second >= 0 && second < 60;
  if (!complete || !in_range) {
    return absl::InvalidArgumentError("--start '" + text +
                                      "' is neither milliseconds since 1970 nor an instant like "
                                      "2026-01-05T00:00:00Z");
  }
  return days_from_civil(year, month, day) * kDayMs + hour * kHourMs + minute * kMinuteMs +
         second * kSecondMs;
}

absl::StatusOr<TrafficSummary> generate(const GenerateJob& job) {
  if (auto status = check(job.traffic); !status.ok()) return status;
  if (job.out == "-" && job.ledger == "-") {
    return absl::InvalidArgumentError("--out and --ledger cannot both be standard output");
  }
  Population population(job.traffic);
  Trips trips(job.traffic, population);
  auto injections = plan_injections(job.traffic, population, trips);
  if (!injections.ok()) return injections.status();

  auto file = OutputFile::open(job.out);
  if (!file.ok()) return file.status();
  RowWriter rows(population, job.traffic.seed, job.format);
  rows.append_header(file->buffer());
  TrafficSummary summary;
  TrafficGenerator traffic(job.traffic, population, trips, *injections);
  bool complete = traffic.run([&](const AuthEvent& event) {
    summary.count(event);
    rows.append(event, file->buffer());
    return file->flush_when_full();
  });
  if (auto status = file->close(); !status.ok()) return status;
  if (!complete) return absl::InternalError("the traffic stopped before its end");
  if (auto status = write_ledger(job, *injections, population, summary); !status.ok()) {
    return status;
  }
  return summary;
}

}  // namespace pollux::traffic
