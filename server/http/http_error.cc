#include "server/http/http_error.h"

#include "server/formats/json_text.h"
#include "server/formats/utf8.h"

namespace pollux {

namespace {

struct Status {
  int status;
  std::string_view reason;
  std::string_view code;
};

constexpr Status kStatuses[] = {
    {100, "Continue", "continue"},
    {200, "OK", "ok"},
    {201, "Created", "created"},
    {202, "Accepted", "accepted"},
    {204, "No Content", "no_content"},
    {304, "Not Modified", "not_modified"},
    {400, "Bad Request", "bad_request"},
    {401, "Unauthorized", "unauthorized"},
    {403, "Forbidden", "forbidden"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {406, "Not Acceptable", "not_acceptable"},
    {408, "Request Timeout", "request_timeout"},
    {409, "Conflict", "conflict"},
    {410, "Gone", "gone"},
    {413, "Content Too Large", "content_too_large"},
    {415, "Unsupported Media Type", "unsupported_media_type"},
    {417, "Expectation Failed", "expectation_failed"},
    {422, "Unprocessable Content", "unprocessable_content"},
    {429, "Too Many Requests", "too_many_requests"},
    {431, "Request Header Fields Too Large", "header_too_large"},
    {500, "Internal Server Error", "internal"},
    {501, "Not Implemented", "not_implemented"},
    {503, "Service Unavailable", "unavailable"},
    {504, "Gateway Timeout", "gateway_timeout"},
    {505, "HTTP Version Not Supported", "http_version_not_supported"},
    {507, "Insufficient Storage", "insufficient_storage"},
};
constexpr Status kUnknown = {0, "Unknown", "unknown"};

const Status& find(int status) {
  for (const Status& entry : kStatuses) {
    if (entry.status == status) return entry;
  }
  return kUnknown;
}

std::string in_utf8(std::string_view text) {
  std::string clean(text);
  if (is_utf8(text)) return clean;
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return clean;
}

}  // namespace

std::string_view http_reason(int status) { return find(status).reason; }
std::string_view http_error_code(int status) { return find(status).code; }

HttpResponse http_error(int status, std::string_view message) {
  return http_error(status, http_error_code(status), message);
}

HttpResponse http_error(int status, std::string_view code, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = R"({"error": {"code": )" + json_string(code) + R"(, "message": )" +
                  json_string(in_utf8(message)) + "}}\n";
  return response;
}

}  // namespace pollux
