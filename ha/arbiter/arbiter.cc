#include "ha/arbiter/arbiter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

bool is_name(const std::string& text) {
  auto fits = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kDomainNameMax &&
         absl::ascii_isalnum(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

absl::Status check_arbiter_options(const ArbiterOptions& options) {
  if (!is_name(options.domain_name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "domain name \"", absl::CEscape(options.domain_name), "\": it must be of 1 to ",
        kDomainNameMax, " letters, digits, '.', '_' or '-', and begin with a letter or a digit"));
  }
  if (options.timeout_ms < 1 || options.timeout_ms > kArbiterTimeoutMaxMs) {
    return absl::InvalidArgumentError(absl::StrCat("the arbiter's timeout of ", options.timeout_ms,
                                                   " ms: it must be 1 to ", kArbiterTimeoutMaxMs));
  }
  return absl::OkStatus();
}

}  // namespace pollux
