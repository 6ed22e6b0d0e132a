// How a connection to an arbiter's store is kept secret, and how each side knows the other.
#pragma once

#include <string>

namespace pollux {

enum class TlsMode {
  kOff,     ///< for loopback and unix sockets
  kVerify,  ///< the server proves to be the host that it was connected to, by `ca_file`
  kTrust    ///< encrypted, but whoever answers is believed
};

struct TlsOptions {
  TlsMode mode = TlsMode::kOff;
  std::string ca_file;           ///< PEM; empty: the system's, where the client library knows them
  std::string certificate_file;  ///< PEM, of this client, with `key_file`; empty: none
  std::string key_file;
};

}  // namespace pollux
