#include "server/tool/client/api_client.h"

#include <charconv>
#include <utility>

#include "server/tool/client/connection.h"
#include "server/tool/client/json_fields.h"
#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

using simdjson::dom::element;

/// Of the question which of two servers is active.
constexpr std::chrono::milliseconds kProbeTimeout{2'000};
constexpr uint64_t kRetryAfterSecondsMax = 60;
constexpr size_t kForeignBytesShown = 200;

uint64_t retry_after_ms(const HttpHeaders& headers) {
  std::string_view text = headers.find("Retry-After").value_or("");
  uint64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::min(seconds, kRetryAfterSecondsMax) * 1000;
}

absl::StatusCode status_code(int status) {
  switch (status) {
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kFailedPrecondition;
    case 410:
      return absl::StatusCode::kOutOfRange;
    case 413:
    case 429:
      return absl::StatusCode::kResourceExhausted;
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return status / 100 == 4 ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kInternal;
  }
}

Diagnostics diagnostics_of(const element& error) {
  Diagnostics diagnostics;
  for (const element& item : list_at(error, "diagnostics")) {
    diagnostics.push_back({{static_cast<uint32_t>(number_at(item, "line")),
                            static_cast<uint32_t>(number_at(item, "column"))},
                           printable(text_at(item, "message")),
                           printable(text_at(item, "expected")),
                           printable(text_at(item, "hint"))});
  }
  return diagnostics;
}

std::vector<std::string> details_of(const element& error) {
  std::vector<std::string> details;
  for (const element& event : list_at(error, "events")) {
    std::string field = printable(text_at(event, "field"));
    details.push_back("event " + std::to_string(number_at(event, "index")) + ": " +
                      (field.empty() ? "" : field + ": ") + printable(text_at(event, "reason")));
  }
  if (std::string needed = joined_texts_at(error, "needed_by"); !needed.empty()) {
    details.push_back("needed by: " + needed);
  }
  return details;
}

}  // namespace

ApiClient::ApiClient(const std::string& servers) {
  for (const std::string& server : split_list(servers)) urls_.push_back(normal_server_url(server));
  if (urls_.size() == 1) url_ = urls_.front();
}

const std::string& ApiClient::url() {
  if (url_.empty()) choose();
  return url_;
}

void ApiClient::choose() {
  if (urls_.size() == 1) return;
  url_.clear();
  for (const std::string& url : urls_) {
    auto answer = http_.request({.url = url + "/readyz?role=active",
                                 .connect_timeout = kProbeTimeout,
                                 .timeout = kProbeTimeout});
    if (!answer.ok()) continue;
    const bool active = answer->status == 200;
    if (active || url_.empty()) url_ = url;
    if (active) return;
  }
  if (url_.empty()) url_ = urls_.front();
}

absl::StatusOr<ApiAnswer> ApiClient::call(const ApiRequest& request) {
  HttpClientRequest call{.method = request.method, .url = url() + request.path};
  call.headers = request.headers;
  if (!request.body.empty()) call.headers.push_back({"Content-Type", "application/json"});
  call.body = request.body;
  call.timeout = request.timeout;
  absl::StatusOr<HttpClientResponse> response = http_.request(call);
  if (!response.ok()) {
    return absl::Status(response.status().code(),
                        printable(std::string_view(response.status().message().data(),
                                                   response.status().message().size())) +
                            unreachable_advice());
  }
  while (response->body.ends_with('\n')) response->body.pop_back();
  return ApiAnswer{response->status, std::move(response->body), retry_after_ms(response->headers)};
}

std::string unreachable_advice() {
  return "\nIs polluxd running, and is this its http.port? --server URL or POLLUX_SERVER name "
         "another.";
}

ApiError error_of(const ApiAnswer& answer) {
  simdjson::dom::parser parser;
  element document;
  element error;
  const absl::StatusCode code = status_code(answer.status);
  if (parser.parse(answer.body).get(document) != simdjson::SUCCESS ||
      document["error"].get(error) != simdjson::SUCCESS) {
    std::string_view body = answer.body;
    return {"",
            absl::Status(code, "the answer was " + std::to_string(answer.status) +
                                   " and not of a Pollux server: " +
                                   printable(body.substr(0, kForeignBytesShown))),
            {},
            {},
            0};
  }
  std::string message = printable(text_at(error, "message"));
  if (message.empty()) message = "the server answered " + std::to_string(answer.status);
  return {text_at(error, "code"), absl::Status(code, message), diagnostics_of(error),
          details_of(error), number_at(error, "expected")};
}

absl::StatusOr<SchemaPtr> schema_of_answer(const ApiAnswer& answer, const std::string& stream) {
  simdjson::dom::parser parser;
  element document;
  std::vector<Attribute> attributes;
  if (parser.parse(answer.body).get(document) == simdjson::SUCCESS) {
    for (const element& item : list_at(document, "attributes")) {
      std::string name = text_at(item, "name");
      std::optional<AttributeType> type = attribute_type_from(text_at(item, "type"));
      if (name.empty() || !type) {
        return absl::InternalError("the server tells of an attribute without name or type");
      }
      attributes.push_back({std::move(name), *type});
    }
  }
  if (attributes.empty()) return absl::InternalError("the server tells of no attributes");
  return std::make_shared<const Schema>(stream, std::move(attributes));
}

std::string url_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace pollux::tool
