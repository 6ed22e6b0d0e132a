#include "server/tool/tail/tail_job.h"

#include <algorithm>
#include <thread>

#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

// The server sends a comment every 15 s: three that are missing mean that it is gone.
constexpr std::chrono::milliseconds kSilenceMax{45'000};
constexpr std::chrono::milliseconds kFirstDelay{100};
constexpr std::chrono::milliseconds kDelayMax{5'000};
constexpr std::chrono::milliseconds kSleepStep{50};
constexpr size_t kEventBytesMax = size_t{16} << 20;

/// The value of "field: value" or "field:value".
std::optional<std::string_view> field_of(std::string_view line, std::string_view field) {
  if (!line.starts_with(field) || line.size() <= field.size() || line[field.size()] != ':') {
    return std::nullopt;
  }
  line.remove_prefix(field.size() + 1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

}  // namespace

TailJob::TailJob(const TailOptions& options, ClientSession& session)
    : options_(options), session_(session), last_id_(options.after_id), lost_(Clock::now()) {
  if (options.seconds > 0) {
    ends_ = lost_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(options.seconds));
  }
}

void TailJob::run() {
  while (!time_is_up() && after(follow()) && wait_before_retry()) {
  }
}

absl::StatusOr<HttpClientResponse> TailJob::follow() {
  if (was_connected_) session_.client().choose();
  HttpClientRequest request;
  request.url =
      session_.client().url() + "/v1/streams/" + url_encoded(options_.stream) + "/subscribe";
  request.headers.push_back({"Accept", "text/event-stream"});
  if (!last_id_.empty()) {
    request.headers.push_back({"Last-Event-ID", last_id_});
  } else if (options_.from_oldest) {
    request.url += "?from=oldest";
  }
  request.timeout = kSilenceMax;
  request.body_bytes_max = kEventBytesMax;
  request.should_stop = [this] { return time_is_up(); };
  connected_ = false;
  id_.clear();
  data_.clear();
  type_.clear();
  return session_.client().http().get_lines(
      request, [this](std::string_view line) { return on_line(line); });
}

bool TailJob::on_line(std::string_view line) {
  if (!connected_) {
    connected_ = true;
    was_connected_ = true;
    delay_ = {};
  }
  if (line.empty()) return end_of_event() && !time_is_up();
  if (std::optional<std::string_view> id = field_of(line, "id")) id_ = *id;
  if (std::optional<std::string_view> type = field_of(line, "event")) type_ = *type;
  if (std::optional<std::string_view> data = field_of(line, "data")) {
    if (data_.size() + data->size() > kEventBytesMax) return false;
    data_ += *data;
  }
  return !time_is_up();
}

bool TailJob::end_of_event() {
  // "forgotten" ends the stream; what comes next says why.
  if (!data_.empty() && (type_.empty() || type_ == "message")) {
    session_.out().append(data_);
    session_.out().append('\n');
    session_.out().flush();
    if (!id_.empty()) last_id_ = id_;
    ++results_;
  }
  data_.clear();
  type_.clear();
  const bool gone = session_.out().status() != OutputBuffer::Status::kOk;
  done_ = gone || (options_.limit != 0 && results_ >= options_.limit);
  return !done_;
}

bool TailJob::after(const absl::StatusOr<HttpClientResponse>& ended) {
  if (done_ || time_is_up()) return false;
  if (connected_) lost_ = Clock::now();
  std::string why;
  if (!ended.ok()) {
    why = printable(std::string(ended.status().message()));
    if (ended.status().code() == absl::StatusCode::kInvalidArgument || !was_connected_) {
      session_.fail(exit_code_of(ended.status()), why + unreachable_advice());
      return false;
    }
  } else if (ended->status / 100 == 2) {
    why = "the server ended the stream";
  } else {
    const ApiError error = error_of({ended->status, ended->body});
    why = std::string(error.status.message());
    if (ended->status != 503 || !was_connected_) {
      session_.fail(error.status);
      return false;
    }
  }
  const double without = std::chrono::duration<double>(Clock::now() - lost_).count();
  if (without > options_.retry_for) {
    session_.fail(ExitCode::kUnreachable, why + unreachable_advice());
    return false;
  }
  if (delay_.count() == 0) {
    session_.console().message(
        why + "; connecting again" +
        (last_id_.empty() ? ", results may be missing" : " behind " + printable(last_id_)));
  }
  return true;
}

bool TailJob::wait_before_retry() {
  delay_ = std::clamp(delay_ * 2, kFirstDelay, kDelayMax);
  const Clock::time_point until = Clock::now() + delay_;
  while (Clock::now() < until && !time_is_up()) std::this_thread::sleep_for(kSleepStep);
  return !time_is_up();
}

}  // namespace pollux::tool
