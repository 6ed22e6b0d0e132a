#include "server/tool/client/client_session.h"

#include <unistd.h>

namespace pollux::tool {

ClientSession::ClientSession(const ConnectionOptions& connection, bool json)
    : json_(json), client_(connection.server), out_(STDOUT_FILENO) {}

std::optional<ApiAnswer> ClientSession::ask(const ApiRequest& request, const std::string& file) {
  absl::StatusOr<ApiAnswer> answer = client_.call(request);
  if (!answer.ok()) {
    fail(answer.status());
    return std::nullopt;
  }
  if (answer->ok()) return *std::move(answer);
  if (json_) out_.append(answer->body + "\n");
  const ApiError error = error_of(*answer);
  if (!error.diagnostics.empty()) {
    fail(ExitCode::kBadPlan, to_text(error.diagnostics, file));
    return std::nullopt;
  }
  fail(error.status);
  for (const std::string& detail : error.details) console_.message("  " + detail);
  return std::nullopt;
}

void ClientSession::fail(ExitCode code, std::string_view message) {
  if (exit_code_ == ExitCode::kOk) exit_code_ = code;
  console_.message(message);
}

void ClientSession::fail(const absl::Status& status) {
  fail(exit_code_of(status), std::string_view(status.message().data(), status.message().size()));
}

ExitCode ClientSession::finish() {
  out_.flush();
  if (out_.status() == OutputBuffer::Status::kFailed) {
    fail(ExitCode::kFailed, "standard output: cannot write: " + out_.error());
  }
  return exit_code_;
}

ExitCode exit_code_of(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return ExitCode::kUsage;
    default:
      return ExitCode::kRefused;
  }
}

}  // namespace pollux::tool
