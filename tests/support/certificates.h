// A certification authority for a test, with a certificate of a server at 127.0.0.1 and one of a
// client, and another authority that nobody knows.
#pragma once

#include <string>

#include "tests/support/temp_folder.h"

namespace pollux {

class Certificates {
 public:
  /// A failure of the test: they could not be made. The server's files are given to `user`, where
  /// the test runs as root.
  explicit Certificates(const std::string& user = "");

  std::string ca() const { return folder_ / "ca.pem"; }
  std::string other_ca() const { return folder_ / "other.pem"; }
  std::string server() const { return folder_ / "server.pem"; }
  std::string server_key() const { return folder_ / "server.key"; }
  /// Common name "pollux".
  std::string client() const { return folder_ / "client.pem"; }
  std::string client_key() const { return folder_ / "client.key"; }

 private:
  /// `issuer`: empty for one that signs itself.
  void make(const std::string& name, const std::string& common_name, const std::string& issuer);

  TempFolder folder_;
};

}  // namespace pollux
