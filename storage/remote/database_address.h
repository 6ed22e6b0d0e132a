// Where a database is, and who asks it.
#pragma once

#include <cstdint>
#include <string>

#include "storage/remote/tls_options.h"

namespace pollux {

struct DatabaseAddress {
  std::string host = "127.0.0.1";  ///< or a unix socket's: what begins with '/'
  uint16_t port = 0;
  std::string database = "pollux";
  std::string user = "pollux";
  std::string password;  ///< empty: as the client library finds it
  TlsOptions tls;
};

}  // namespace pollux
