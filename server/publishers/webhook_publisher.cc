#include "server/publishers/webhook_publisher.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/language/diagnostics.h"

namespace pollux {
namespace {

bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

/// In seconds; dates and what is no number count as nothing said.
std::chrono::milliseconds retry_after_of(const HttpHeaders& headers) {
  std::optional<std::string_view> text = headers.find("Retry-After");
  if (!text) return std::chrono::milliseconds(0);
  uint32_t seconds = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error == std::errc::result_out_of_range) return kRetryAfterMax;
  if (error != std::errc() || end != text->data() + text->size()) {
    return std::chrono::milliseconds(0);
  }
  return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kRetryAfterMax);
}

}  // namespace

WebhookPublisher::WebhookPublisher(WebhookOptions options, RowPayload payload)
    : options_(std::move(options)), payload_(std::move(payload)) {}

Published WebhookPublisher::judge(const HttpClientResponse& response) const {
  if (response.status >= 200 && response.status < 300) return {};
  std::string text = absl::StrCat("the webhook answered ", response.status);
  if (!response.body.empty()) absl::StrAppend(&text, " ", in_quotes(response.body));
  if (may_pass(response.status)) {
    return {absl::UnavailableError(text), retry_after_of(response.headers)};
  }
  return {absl::FailedPreconditionError(text)};
}

Published WebhookPublisher::publish(std::span<const PublishedRow> rows,
                                    const std::atomic<bool>& stopping) {
  std::string body;
  if (options_.batch > 1) body += '[';
  for (const PublishedRow& row : rows) {
    if (&row != rows.data()) body += ',';
    payload_.append(body, row);
  }
  if (options_.batch > 1) body += ']';
  HttpClientRequest request;
  request.method = options_.method;
  request.url = options_.url;
  request.headers = options_.headers;
  request.headers.push_back({"Pollux-Result-Id", result_id(*rows[0].slice, rows[0].row)});
  request.body = body;
  request.connect_timeout = options_.connect_timeout;
  request.timeout = options_.timeout;
  request.body_bytes_max = kAnswerBytesMax;
  request.should_stop = [&stopping] { return stopping.load(); };
  absl::StatusOr<HttpClientResponse> response = client_.request(request);
  if (!response.ok()) return {response.status()};
  return judge(*response);
}

}  // namespace pollux
