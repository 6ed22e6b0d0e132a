#include "tests/support/mariadb_server.h"

#include <cstdlib>

#include "tests/support/becomes_true.h"

namespace pollux {
namespace {

constexpr char kUser[] = "mysql";
constexpr char kPackage[] = "mariadb-server";

}  // namespace

MariadbServer::MariadbServer(std::vector<std::string> settings, const std::string& parent)
    : folder_(parent), settings_(std::move(settings)), port_(free_port()) {}

bool MariadbServer::prepare() {
  give_to_user(folder_.path(), kUser);
  std::string install = program_of_package({"/usr/bin/mariadb-install-db"}, kPackage);
  if (install.empty()) return false;
  return run_to_end({{install, "--no-defaults", "--datadir=" + data_, "--skip-test-db",
                      "--auth-root-authentication-method=normal", "--skip-name-resolve"},
                     folder_ / "log",
                     kUser});
}

bool MariadbServer::start() {
  if (process_.runs()) return true;
  if (!std::filesystem::exists(data_) && !prepare()) return false;
  std::string mariadbd = program_of_package({"/usr/sbin/mariadbd"}, kPackage);
  std::string admin = program_of_package({"/usr/bin/mariadb-admin"}, "mariadb-client");
  if (mariadbd.empty() || admin.empty()) return false;
  std::vector<std::string> words = {mariadbd,
                                    "--no-defaults",
                                    "--datadir=" + data_,
                                    "--socket=" + socket(),
                                    "--port=" + std::to_string(port_),
                                    "--bind-address=127.0.0.1",
                                    "--pid-file=" + (folder_ / "m.pid"),
                                    "--skip-name-resolve",
                                    "--innodb-flush-log-at-trx-commit=1"};
  for (const std::string& setting : settings_) words.push_back("--" + setting);
  if (!process_.start({words, folder_ / "log", kUser})) return false;
  std::string ping = admin + " --no-defaults -u root -S " + socket() + " ping >/dev/null 2>&1";
  bool answers = becomes_true([&] { return !process_.runs() || std::system(ping.c_str()) == 0; });
  EXPECT_TRUE(answers && process_.runs()) << text_of_file(folder_ / "log");
  return answers && process_.runs();
}

std::string MariadbServer::run(const std::string& sql) {
  std::string client = program_of_package({"/usr/bin/mariadb"}, "mariadb-client");
  std::string out = folder_ / "client";
  std::filesystem::remove(out);
  bool passed = run_to_end(
      {{client, "--no-defaults", "-u", "root", "-S", socket(), "--skip-column-names", "-e", sql},
       out,
       kUser});
  return passed ? text_of_file(out) : "";
}

}  // namespace pollux
