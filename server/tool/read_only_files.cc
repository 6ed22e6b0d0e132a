#include "server/tool/read_only_files.h"

#include <chrono>
#include <cstdio>

namespace pollux::tool {

ExitCode exit_code_of_files(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kBadInput;
    default:
      return ExitCode::kFailed;
  }
}

std::string message_of(const absl::Status& status) { return std::string(status.message()); }

bool is_directory(FileSystem& files, const std::string& path) { return files.list(path).ok(); }

ExitCode finish_output(OutputBuffer& out, Console& console, const std::string& name,
                       ExitCode code) {
  out.flush();
  if (out.status() != OutputBuffer::Status::kFailed) return code;
  console.message(name + ": cannot write: " + out.error());
  return ExitCode::kFailed;
}

std::string time_text(int64_t ms) {
  using namespace std::chrono;
  constexpr int64_t kYear0Ms = -62'167'219'200'000;
  constexpr int64_t kYear10000Ms = 253'402'300'800'000;
  if (ms < kYear0Ms || ms >= kYear10000Ms) return std::to_string(ms) + " ms";
  sys_time<milliseconds> time{milliseconds(ms)};
  auto day = floor<days>(time);
  year_month_day date{day};
  hh_mm_ss clock{time - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d.%03d", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace pollux::tool
