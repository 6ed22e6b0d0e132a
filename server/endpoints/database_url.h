// Where a database is, as settings say it. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ha/net/members.h"

namespace pollux {

struct DatabaseUrl {
  std::string user = "pollux";
  HostPort host;
  std::string database;
};

/// Reads "USER@HOST:PORT/DATABASE", of which user and port may be missing. kInvalidArgument says
/// what is wrong; a password does not stand there, since settings are shown.
absl::StatusOr<DatabaseUrl> parse_database_url(std::string_view text, uint16_t default_port);

}  // namespace pollux
