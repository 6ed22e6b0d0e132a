#include "ha/arbiter/remote/json_client.h"

#include <curl/curl.h>

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr size_t kAnswerMax = 1024 * 1024;

size_t on_body(char* data, size_t size, size_t count, void* user) {
  std::string& body = *static_cast<std::string*>(user);
  if (body.size() + size * count > kAnswerMax) return 0;
  body.append(data, size * count);
  return size * count;
}

void set_tls(CURL* easy, const TlsOptions& tls) {
  if (tls.mode == TlsMode::kTrust) {
    ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!tls.ca_file.empty()) ::curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.certificate_file.empty()) {
    ::curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.certificate_file.c_str());
    ::curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
  }
}

CURL* new_easy() {
  static std::once_flag once;
  std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
  return ::curl_easy_init();
}

}  // namespace

struct JsonClient::Impl {
  std::unique_ptr<CURL, void (*)(CURL*)> easy{new_easy(), ::curl_easy_cleanup};
  char error[CURL_ERROR_SIZE] = "";
};

JsonClient::JsonClient(TlsOptions tls) : tls_(std::move(tls)), impl_(std::make_unique<Impl>()) {}

JsonClient::~JsonClient() = default;

absl::StatusOr<JsonAnswer> JsonClient::post(const std::string& url, const std::string& token,
                                            const std::string& body, const Deadline& deadline) {
  CURL* easy = impl_->easy.get();
  if (easy == nullptr) return absl::ResourceExhaustedError("libcurl does not start");
  if (deadline.has_passed()) return absl::DeadlineExceededError(url + ": no time is left");
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      ::curl_slist_append(nullptr, "Content-Type: application/json"), ::curl_slist_free_all);
  if (!token.empty()) ::curl_slist_append(headers.get(), ("Authorization: " + token).c_str());

  JsonAnswer answer;
  impl_->error[0] = '\0';
  ::curl_easy_reset(easy);
  ::curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
  ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, impl_->error);
  ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(deadline.remaining_ms()));
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Not to wait for a lookup that is late already.
  ::curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  // On a connection that was kept and has died, libcurl would post a second time by itself.
  ::curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  set_tls(easy, tls_);

  CURLcode code = ::curl_easy_perform(easy);
  if (code == CURLE_OK) {
    long status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
  }
  std::string what =
      absl::StrCat(url, ": ", impl_->error[0] != '\0' ? impl_->error : ::curl_easy_strerror(code));
  return code == CURLE_OPERATION_TIMEDOUT ? absl::DeadlineExceededError(what)
                                          : absl::UnavailableError(what);
}

}  // namespace pollux
