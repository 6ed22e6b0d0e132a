#include "tests/support/certificates.h"

#include "tests/support/server_process.h"

namespace pollux {

namespace fs = std::filesystem;

Certificates::Certificates(const std::string& user) {
  fs::permissions(folder_.path(), fs::perms::owner_all | fs::perms::others_exec,
                  fs::perm_options::replace);
  make("ca", "pollux test authority", "");
  make("other", "unknown authority", "");
  make("server", "127.0.0.1", "ca");
  make("client", "pollux", "ca");
  if (!user.empty()) {
    give_to_user(server(), user);
    give_to_user(server_key(), user);
  }
}

void Certificates::make(const std::string& name, const std::string& common_name,
                        const std::string& issuer) {
  std::string openssl = program_of_package({"/usr/bin/openssl"}, "openssl");
  if (openssl.empty()) return;
  std::string key = folder_ / (name + ".key");
  std::string certificate = folder_ / (name + ".pem");
  std::vector<std::string> words = {openssl,
                                    "req",
                                    "-x509",
                                    "-newkey",
                                    "ec",
                                    "-pkeyopt",
                                    "ec_paramgen_curve:P-256",
                                    "-nodes",
                                    "-days",
                                    "2",
                                    "-subj",
                                    "/CN=" + common_name,
                                    "-keyout",
                                    key,
                                    "-out",
                                    certificate};
  if (!issuer.empty()) {
    words.insert(words.end(), {"-CA", folder_ / (issuer + ".pem"), "-CAkey",
                               folder_ / (issuer + ".key"), "-addext", "basicConstraints=CA:FALSE",
                               "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"});
  }
  run_to_end({words, folder_ / "log", ""});
  fs::permissions(certificate, fs::perms::others_read, fs::perm_options::add);
}

}  // namespace pollux
