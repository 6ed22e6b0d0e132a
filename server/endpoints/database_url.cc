#include "server/endpoints/database_url.h"

#include <utility>

namespace pollux {

absl::StatusOr<DatabaseUrl> parse_database_url(std::string_view text, uint16_t default_port) {
  DatabaseUrl url;
  if (size_t at = text.rfind('@'); at != std::string_view::npos) {
    url.user = std::string(text.substr(0, at));
    text.remove_prefix(at + 1);
    if (url.user.find(':') != std::string::npos) {
      return absl::InvalidArgumentError("a password does not stand there; give it by itself");
    }
  }
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) {
    return absl::InvalidArgumentError("the database is missing; expected USER@HOST:PORT/DATABASE");
  }
  url.database = std::string(text.substr(slash + 1));
  auto host = parse_host_port(text.substr(0, slash), default_port);
  if (!host.ok()) return host.status();
  url.host = *std::move(host);
  return url;
}

}  // namespace pollux
