#include "tests/support/postgres_server.h"

#include <csignal>
#include <fstream>

#include "tests/support/becomes_true.h"

namespace pollux {
namespace {

constexpr char kUser[] = "postgres";
constexpr char kPackage[] = "postgresql-15";

std::string program(const std::string& name) {
  return program_of_package({"/usr/lib/postgresql/15/bin/" + name}, kPackage);
}

}  // namespace

PostgresServer::PostgresServer(std::vector<std::string> settings)
    : settings_(std::move(settings)), port_(free_port()) {}

PostgresServer::~PostgresServer() {
  process_.stop(SIGQUIT);  // where it is killed, its shared memory stays until the next start
}

bool PostgresServer::prepare() {
  give_to_user(folder_.path(), kUser);
  std::string initdb = program("initdb");
  if (initdb.empty()) return false;
  if (!run_to_end({{initdb, "-D", data_, "-A", "trust", "-U", kUser, "-E", "UTF8", "--locale=C",
                    "--no-sync"},
                   folder_ / "log",
                   kUser})) {
    return false;
  }
  std::ofstream(data_ + "/pg_hba.conf") << "local all all trust\n"
                                           "host all postgres 127.0.0.1/32 trust\n"
                                           "host all all 127.0.0.1/32 scram-sha-256\n";
  return true;
}

bool PostgresServer::start() {
  if (process_.runs()) return true;
  if (!std::filesystem::exists(data_) && !prepare()) return false;
  std::string postgres = program("postgres");
  std::string ready = program("pg_isready");
  if (postgres.empty() || ready.empty()) return false;
  std::vector<std::string> words = {postgres,
                                    "-D",
                                    data_,
                                    "-p",
                                    std::to_string(port_),
                                    "-k",
                                    folder_.path(),
                                    "-c",
                                    "listen_addresses=127.0.0.1",
                                    "-c",
                                    "fsync=on",
                                    "-c",
                                    "dynamic_shared_memory_type=mmap"};
  for (const std::string& setting : settings_) words.insert(words.end(), {"-c", setting});
  // A killed server's shared memory may be in use for a moment longer; then it ends at once.
  bool answers = becomes_true([&] {
    if (!process_.runs() && !process_.start({words, folder_ / "log", kUser})) return true;
    std::string command = ready + " -q -h 127.0.0.1 -p " + std::to_string(port_);
    return std::system(command.c_str()) == 0;
  });
  EXPECT_TRUE(answers && process_.runs()) << text_of_file(folder_ / "log");
  return answers && process_.runs();
}

std::string PostgresServer::run(const std::string& sql, const std::string& database) {
  std::string psql = program("psql");
  std::string out = folder_ / "psql";
  std::filesystem::remove(out);
  bool passed =
      run_to_end({{psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                   std::to_string(port_), "-U", kUser, "-d", database, "-c", sql},
                  out,
                  kUser});
  return passed ? text_of_file(out) : "";
}

}  // namespace pollux
