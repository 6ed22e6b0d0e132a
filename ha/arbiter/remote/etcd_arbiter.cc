#include "ha/arbiter/remote/etcd_arbiter.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ha/arbiter/remote/json_client.h"
#include "storage/remote/deadline.h"

namespace pollux {
namespace {

using Json = nlohmann::json;

constexpr char kRange[] = "/v3/kv/range";
constexpr char kTxn[] = "/v3/kv/txn";
constexpr char kAuthenticate[] = "/v3/auth/authenticate";
constexpr size_t kShownMax = 200;  // of an answer that is not etcd's

std::string base64(const std::string& bytes) { return absl::Base64Escape(bytes); }

/// The gateway speaks of errors in gRPC's codes, which absl's are too.
absl::Status error_of(const Json& answer) {
  int code = answer.value("code", 0);
  std::string what = answer.value("error", "an error without a word");
  // Those it calls invalid arguments, among others.
  if (what.find("auth store is old") != std::string::npos) code = 16;
  if (what.find("invalid user ID or password") != std::string::npos) code = 7;
  switch (code) {
    case 4:
      return absl::DeadlineExceededError(what);
    case 7:
      return absl::PermissionDeniedError(what);
    case 9:
      return absl::FailedPreconditionError(what);
    case 16:
      return absl::UnauthenticatedError(what);
    default:
      return absl::UnavailableError(what);
  }
}

/// What an HTTP answer says; an error where it is one.
absl::StatusOr<Json> json_of(const JsonAnswer& answer) {
  Json json = Json::parse(answer.body, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && answer.status == 200) return json;
  try {
    if (json.is_object() && json.contains("error")) return error_of(json);
  } catch (const Json::exception&) {
    // Fields of other types: not etcd's, and told below.
  }
  return absl::UnavailableError(
      absl::StrCat("HTTP status ", answer.status,
                   ", and no answer of etcd: ", absl::CEscape(answer.body.substr(0, kShownMax))));
}

struct StoredKey {
  ArbiterRecord record;            // version 0: there is none
  std::string mod_revision = "0";  // as etcd writes it
};

/// Of the answer to a range of one key.
absl::StatusOr<StoredKey> stored_key_of(const Json& range) {
  StoredKey key;
  try {
    if (!range.contains("header")) return absl::UnavailableError("no answer of etcd");
    if (!range.contains("kvs")) return key;
    const Json& kv = range.at("kvs").at(0);
    key.mod_revision = kv.at("mod_revision").get<std::string>();
    std::string value;
    if (!absl::Base64Unescape(kv.value("value", ""), &value)) {
      return absl::DataLossError("the record is not in base64");
    }
    absl::StatusOr<ArbiterRecord> record = arbiter_record_of(value);
    if (!record.ok()) return record.status();
    key.record = *record;
    return key;
  } catch (const Json::exception& error) {
    return absl::UnavailableError(absl::StrCat("no answer of etcd: ", error.what()));
  }
}

class EtcdArbiter : public Arbiter {
 public:
  EtcdArbiter(const ArbiterOptions& options, EtcdOptions etcd)
      : options_(options),
        etcd_(std::move(etcd)),
        key_(absl::StrCat(etcd_.prefix, "/", options.domain_name)),
        client_(etcd_.tls) {}

  absl::StatusOr<ArbiterRecord> read() override {
    absl::StatusOr<StoredKey> key = read_key(Deadline(options_.timeout_ms));
    if (!key.ok()) return told(key.status());
    return key->record;
  }

  absl::StatusOr<ArbiterRecord> compare_and_set(const ArbiterRecord& next) override {
    absl::Status sound = check_arbiter_record(next);
    if (!sound.ok()) return sound;
    Deadline deadline(options_.timeout_ms);
    absl::StatusOr<StoredKey> before = read_key(deadline);
    if (!before.ok()) return told(before.status());
    if (before->record.version + 1 != next.version) return before->record;
    // Of the server that has just answered; there is no other try.
    absl::StatusOr<Json> answer =
        call(endpoint_, kTxn, txn_of(before->mod_revision, to_json(next)), deadline);
    if (!answer.ok()) return told(answer.status());
    absl::StatusOr<ArbiterRecord> after = record_after(*answer, next);
    if (!after.ok()) return told(after.status());
    return after;
  }

  std::string describe() const override {
    return absl::StrCat("etcd ", absl::StrJoin(etcd_.endpoints, ","), ", key ", key_);
  }

 private:
  absl::Status told(const absl::Status& status) const {
    return absl::Status(status.code(),
                        absl::StrCat("arbiter ", describe(), ": ", status.message()));
  }

  /// A key that does not exist has modification revision 0 for a comparison.
  Json txn_of(const std::string& mod_revision, const std::string& record) const {
    const std::string key = base64(key_);
    Json compare = {
        {"key", key}, {"target", "MOD"}, {"result", "EQUAL"}, {"mod_revision", mod_revision}};
    Json put = {{"request_put", {{"key", key}, {"value", base64(record)}}}};
    Json range = {{"request_range", {{"key", key}}}};
    return {{"compare", {compare}}, {"success", {put}}, {"failure", {range}}};
  }

  static absl::StatusOr<ArbiterRecord> record_after(const Json& txn, const ArbiterRecord& next) {
    try {
      if (!txn.contains("header")) return absl::UnavailableError("no answer of etcd");
      if (txn.value("succeeded", false)) return next;
      absl::StatusOr<StoredKey> present =
          stored_key_of(txn.at("responses").at(0).at("response_range"));
      if (!present.ok()) return present.status();
      return present->record;
    } catch (const Json::exception& error) {
      return absl::UnavailableError(absl::StrCat("no answer of etcd: ", error.what()));
    }
  }

  /// By the first server that answers.
  absl::StatusOr<StoredKey> read_key(const Deadline& deadline) {
    Json request = {{"key", base64(key_)}};
    absl::Status failed;
    const size_t servers = etcd_.endpoints.size();
    for (size_t tried = 0; tried < servers; ++tried) {
      Deadline share(deadline.remaining_ms() / static_cast<int64_t>(servers - tried));
      absl::StatusOr<Json> answer = call_known(endpoint_, kRange, request, share);
      if (answer.ok()) return stored_key_of(*answer);
      failed = answer.status();
      endpoint_ = (endpoint_ + 1) % servers;
    }
    return failed;
  }

  /// With a token, which may have run out.
  absl::StatusOr<Json> call_known(size_t endpoint, const char* path, const Json& request,
                                  const Deadline& deadline) {
    for (bool had_token : {true, false}) {
      if (!etcd_.user.empty() && token_.empty()) {
        absl::Status known = authenticate(endpoint, deadline);
        if (!known.ok()) return known;
        had_token = false;
      }
      absl::StatusOr<Json> answer = call(endpoint, path, request, deadline);
      if (!absl::IsUnauthenticated(answer.status()) || !had_token) return answer;
    }
    return absl::UnauthenticatedError("the server takes no token of its own");
  }

  absl::Status authenticate(size_t endpoint, const Deadline& deadline) {
    Json request = {{"name", etcd_.user}, {"password", etcd_.password}};
    absl::StatusOr<Json> answer = call(endpoint, kAuthenticate, request, deadline);
    if (!answer.ok()) return answer.status();
    auto token = answer->find("token");
    if (token == answer->end() || !token->is_string()) {
      return absl::UnavailableError("no answer of etcd to a user's name and password");
    }
    token_ = token->get<std::string>();
    return absl::OkStatus();
  }

  absl::StatusOr<Json> call(size_t endpoint, const char* path, const Json& request,
                            const Deadline& deadline) {
    absl::StatusOr<JsonAnswer> answer = client_.post(absl::StrCat(etcd_.endpoints[endpoint], path),
                                                     token_, request.dump(), deadline);
    if (!answer.ok()) return answer.status();
    absl::StatusOr<Json> json = json_of(*answer);
    if (absl::IsUnauthenticated(json.status())) token_.clear();
    return json;
  }

  ArbiterOptions options_;
  EtcdOptions etcd_;
  std::string key_;
  JsonClient client_;
  std::string token_;    // empty: none yet, or it ran out
  size_t endpoint_ = 0;  // that answered last
};

absl::Status check_etcd_options(const EtcdOptions& etcd) {
  if (etcd.endpoints.empty()) {
    return absl::InvalidArgumentError("etcd has no endpoints: name one, as http://HOST:2379");
  }
  for (const std::string& endpoint : etcd.endpoints) {
    bool is_secret = endpoint.starts_with("https://");
    if (!is_secret && !endpoint.starts_with("http://")) {
      return absl::InvalidArgumentError(
          absl::StrCat("etcd endpoint ", endpoint, ": it must begin with http:// or https://"));
    }
    if (is_secret == (etcd.tls.mode == TlsMode::kOff)) {
      return absl::InvalidArgumentError(absl::StrCat("etcd endpoint ", endpoint, ": TLS is ",
                                                     is_secret ? "off" : "on", " in the settings"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Arbiter>> make_etcd_arbiter(const ArbiterOptions& options,
                                                           const EtcdOptions& etcd) {
  for (absl::Status checked : {check_arbiter_options(options), check_etcd_options(etcd)}) {
    if (!checked.ok()) return checked;
  }
  EtcdOptions plain = etcd;
  for (std::string& endpoint : plain.endpoints) {
    while (endpoint.ends_with('/')) endpoint.pop_back();
  }
  return std::make_unique<EtcdArbiter>(options, std::move(plain));
}

}  // namespace pollux
