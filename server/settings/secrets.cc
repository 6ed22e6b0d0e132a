#include "server/settings/secrets.h"

#include "absl/status/status.h"
#include "server/settings/small_file.h"

namespace pollux {

bool names_a_secret(std::string_view option_name) {
  for (std::string_view ending : {"password", "secret", "token", "authorization"}) {
    if (option_name.ends_with(ending)) return true;
  }
  return false;
}

std::string_view secret_of_file_option(std::string_view option_name) {
  if (!option_name.ends_with(kFileSuffix)) return {};
  option_name.remove_suffix(kFileSuffix.size());
  return names_a_secret(option_name) ? option_name : std::string_view();
}

absl::StatusOr<std::string> read_secret(const std::string& path) {
  auto text = read_small_file(path, kSecretBytesMax);
  if (!text.ok()) {
    return absl::FailedPreconditionError("secret file " + path + " " +
                                         std::string(text.status().message()));
  }
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty()) return absl::FailedPreconditionError("secret file " + path + " is empty");
  return text;
}

}  // namespace pollux
