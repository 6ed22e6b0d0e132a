#include "server/http/http_client.h"

#include <curl/curl.h>

#include <utility>

#include "absl/status/status.h"

namespace pollux {

namespace {

using Clock = std::chrono::steady_clock;

/// Once a process; libcurl asks for it before threads use it.
void init_curl() {
  static const CURLcode kDone = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(kDone);
}

/// One call: what libcurl's callbacks need, and what they found.
struct Call {
  CURL* easy = nullptr;
  const HttpClientRequest* request = nullptr;
  const HttpLineCallback* on_line = nullptr;  // null: collect the body
  HttpClientResponse response;
  std::string line;  // begun, not ended
  Clock::time_point last_bytes = Clock::now();
  bool too_large = false;
  bool stopped = false;   // should_stop
  bool finished = false;  // on_line has enough
  bool silent = false;    // too long
};

bool is_success(const Call& call) { return call.response.status / 100 == 2; }

bool append_bounded(Call& call, std::string& to, std::string_view bytes) {
  if (to.size() + bytes.size() > call.request->body_bytes_max) {
    call.too_large = true;
    return false;
  }
  to.append(bytes);
  return true;
}

/// False: the call is to end.
bool take_lines(Call& call, std::string_view bytes) {
  for (;;) {
    size_t end = bytes.find('\n');
    if (!append_bounded(call, call.line, bytes.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    if (call.line.ends_with('\r')) call.line.pop_back();
    bool goes_on = (*call.on_line)(call.line);
    call.line.clear();
    bytes.remove_prefix(end + 1);
    if (!goes_on) {
      call.finished = true;
      return false;
    }
  }
}

size_t on_body(char* data, size_t size, size_t count, void* user) {
  Call& call = *static_cast<Call*>(user);
  std::string_view bytes(data, size * count);
  call.last_bytes = Clock::now();
  bool lines = call.on_line != nullptr && is_success(call);
  bool goes_on = lines ? take_lines(call, bytes) : append_bounded(call, call.response.body, bytes);
  return goes_on ? bytes.size() : 0;
}

size_t on_header(char* data, size_t size, size_t count, void* user) {
  Call& call = *static_cast<Call*>(user);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // a new head: one came before it, 100 Continue for example
    call.response.headers.clear();
    long status = 0;
    ::curl_easy_getinfo(call.easy, CURLINFO_RESPONSE_CODE, &status);
    call.response.status = static_cast<int>(status);
    return line.size();
  }
  size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string_view value = line.substr(colon + 1);
  size_t begin = value.find_first_not_of(" \t\r\n");
  size_t end = value.find_last_not_of(" \t\r\n");
  value = begin == std::string_view::npos ? "" : value.substr(begin, end - begin + 1);
  call.response.headers.add(line.substr(0, colon), value);
  return line.size();
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  Call& call = *static_cast<Call*>(user);
  if (call.request->should_stop && call.request->should_stop()) call.stopped = true;
  bool lines = call.on_line != nullptr;
  call.silent = lines && Clock::now() - call.last_bytes > call.request->timeout;
  return call.stopped || call.silent ? 1 : 0;
}

absl::Status failure(const Call& call, CURLcode code, const char* text) {
  std::string what = call.request->method + " " + call.request->url + ": ";
  if (call.stopped) return absl::CancelledError(what + "stopped");
  if (call.silent) return absl::DeadlineExceededError(what + "nothing came for too long");
  if (call.too_large) {
    return absl::ResourceExhaustedError(what + "the answer is longer than " +
                                        std::to_string(call.request->body_bytes_max) + " bytes");
  }
  what += *text != '\0' ? text : ::curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(what);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(what);
    default:
      return absl::UnavailableError(what);
  }
}

void set_method_and_body(CURL* easy, const HttpClientRequest& request) {
  if (request.method == "HEAD") {
    ::curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  ::curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_callbacks(CURL* easy, Call& call) {
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &call);
  ::curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  ::curl_easy_setopt(easy, CURLOPT_HEADERDATA, &call);
  ::curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  ::curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &call);
  ::curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

struct FreeList {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

/// Null when memory is short, which libcurl answers by sending no headers of ours.
List header_list(const HttpClientRequest& request) {
  List list;
  auto append = [&list](const std::string& line) {
    curl_slist* longer = ::curl_slist_append(list.get(), line.c_str());
    static_cast<void>(list.release());
    list.reset(longer);
  };
  // Without this libcurl waits up to a second before it sends a body of more than 1 MB.
  append("Expect:");
  for (const HttpParameter& header : request.headers) {
    append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  return list;
}

}  // namespace

struct HttpClient::Impl {
  CURL* easy = nullptr;

  Impl() {
    init_curl();
    easy = ::curl_easy_init();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (easy != nullptr) ::curl_easy_cleanup(easy);
  }

  absl::StatusOr<HttpClientResponse> run(Call& call);
};

absl::StatusOr<HttpClientResponse> HttpClient::Impl::run(Call& call) {
  if (easy == nullptr) return absl::ResourceExhaustedError("libcurl gives no handle");
  const HttpClientRequest& request = *call.request;
  ::curl_easy_reset(easy);  // keeps the connections
  call.easy = easy;
  char error_text[CURL_ERROR_SIZE] = "";
  ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
  ::curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  ::curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request.connect_timeout.count()));
  if (call.on_line == nullptr) {
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  }
  List headers = header_list(request);
  ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  set_method_and_body(easy, request);
  set_callbacks(easy, call);
  CURLcode code = ::curl_easy_perform(easy);
  ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  if (code == CURLE_OK || call.finished) return std::move(call.response);
  return failure(call, code, error_text);
}

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

absl::StatusOr<HttpClientResponse> HttpClient::request(const HttpClientRequest& request) {
  Call call;
  call.request = &request;
  return impl_->run(call);
}

absl::StatusOr<HttpClientResponse> HttpClient::get_lines(const HttpClientRequest& request,
                                                         const HttpLineCallback& on_line) {
  Call call;
  call.request = &request;
  call.on_line = &on_line;
  return impl_->run(call);
}

}  // namespace pollux
