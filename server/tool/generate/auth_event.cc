#include "server/tool/generate/auth_event.h"

#include <array>
#include <charconv>
#include <string_view>

#include "server/tool/generate/random.h"

namespace pollux::traffic {
namespace {

constexpr uint64_t kEventIds = 0x45564e54;
constexpr uint64_t kContextIds = 0x43545854;

std::string uuid(uint64_t seed, uint64_t number, uint64_t purpose) {
  uint64_t key = scatter(seed ^ (purpose << 32));
  uint64_t high = scatter(number ^ key);
  uint64_t low = scatter(number + scatter(key));
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{1} << 63);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(36, '-');
  size_t at = 0;
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) ++at;
    uint64_t word = nibble < 16 ? high : low;
    text[at++] = kDigits[(word >> (60 - 4 * (nibble % 16))) & 15];
  }
  return text;
}

/// Writes the values of a row in the stream's order. No value needs escaping: names, ids and roles
/// are made of letters, digits and `.,-@_`; only CSV must quote the commas of roles.
class Fields {
 public:
  Fields(std::string& to, RowFormat format) : to_(to), json_(format == RowFormat::kJson) {}

  void text(std::string_view name, std::string_view value) {
    begin(name);
    bool quoted = json_ || value.find(',') != std::string_view::npos;
    if (quoted) to_ += '"';
    to_ += value;
    if (quoted) to_ += '"';
  }
  void flag(std::string_view name, bool value) {
    begin(name);
    to_ += value ? "true" : "false";
  }
  void number(std::string_view name, int64_t value) {
    begin(name);
    std::array<char, 24> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    to_.append(digits.data(), end);
  }
  void null(std::string_view name) {
    begin(name);
    if (json_) to_ += "null";
  }
  void end() { to_ += json_ ? "}\n" : "\n"; }

 private:
  void begin(std::string_view name) {
    if (!first_) to_ += ',';
    if (json_) {
      if (first_) to_ += '{';
      to_.append("\"").append(name).append("\":");
    }
    first_ = false;
  }

  std::string& to_;
  bool json_;
  bool first_ = true;
};

constexpr std::string_view kHeader =
    "meta_tenantId,contextId,eventId,eventType,authenticationSuccess,username,localUsername,"
    "userStoreDomain,tenantDomain,remoteIp,region,inboundAuthType,serviceProvider,"
    "rememberMeEnabled,forceAuthEnabled,passiveAuthEnabled,rolesCommaSeparated,authenticationStep,"
    "identityProvider,authStepSuccess,stepAuthenticator,isFirstLogin,identityProviderType,"
    "_timestamp\n";

/// The columns that say how the user was authenticated. A reused session names no authenticator and
/// no type; an overall event of a federated login has no local step.
void append_authentication(const AuthEvent& event, const User& user, Fields& row) {
  const IdentityProvider& provider = get(user.provider);
  bool second_factor = event.step == 2;
  bool step = event.kind == EventKind::kStep;
  bool reused = event.kind == EventKind::kReusedSession;
  bool without_local_step = reused || (!step && user.federated());
  row.text("authenticationStep", without_local_step ? "0" : second_factor ? "2" : "1");
  row.text("identityProvider", second_factor && step ? "LOCAL" : provider.name);
  row.flag("authStepSuccess", event.success);
  if (without_local_step) {
    row.null("stepAuthenticator");
  } else {
    row.text("stepAuthenticator", second_factor && step ? "totp" : provider.authenticator);
  }
  row.flag("isFirstLogin", event.first_login);
  if (reused) {
    row.null("identityProviderType");
  } else {
    bool local = !user.federated() || (second_factor && step);
    row.text("identityProviderType", local ? "LOCAL" : "FEDERATED");
  }
}

}  // namespace

std::string event_id(uint64_t seed, EventNumber number) {
  return uuid(seed, static_cast<uint64_t>(number), kEventIds);
}

std::string context_id(uint64_t seed, ContextNumber number) {
  return uuid(seed, static_cast<uint64_t>(number), kContextIds);
}

void RowWriter::append_header(std::string& to) const {
  if (format_ == RowFormat::kCsv) to += kHeader;
}

void RowWriter::append(const AuthEvent& event, std::string& to) const {
  const User& user = population_.user(event.user);
  const ServiceProvider& service = get(event.service);
  Fields row(to, format_);
  row.number("meta_tenantId", get(user.tenant).id);
  row.text("contextId", context_id(seed_, event.context));
  row.text("eventId", event_id(seed_, event.number));
  row.text("eventType", event.kind == EventKind::kStep ? "step" : "overall");
  row.flag("authenticationSuccess", event.kind != EventKind::kStep && event.success);
  row.text("username", user.name);
  row.text("localUsername", user.local_name);
  row.text("userStoreDomain", user.store);
  row.text("tenantDomain", get(user.tenant).domain);
  row.text("remoteIp", to_text(event.address));
  row.text("region", get(event.country).code);
  row.text("inboundAuthType", service.inbound_auth_type);
  row.text("serviceProvider", service.name);
  row.flag("rememberMeEnabled", user.remembers);
  row.flag("forceAuthEnabled", service.second_factor);
  row.flag("passiveAuthEnabled", false);
  row.text("rolesCommaSeparated", user.roles);
  append_authentication(event, user, row);
  row.number("_timestamp", event.time_ms);
  row.end();
}

}  // namespace pollux::traffic
