// A server of another make that a test starts, kills, pauses and starts again.
//
// It and all its children end with the test, however that ends: by process id, never by name.
// Thread: one at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pollux {

struct ServerCommand {
  std::vector<std::string> words;  ///< the program's path first
  std::string log_path;            ///< its output is appended to this file
  std::string user;                ///< whom it runs as where the test runs as root; empty: as is
};

class ServerProcess {
 public:
  ServerProcess() = default;
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  /// False, with a failure of the test: it could not be started.
  bool start(const ServerCommand& command);
  /// Whether it still runs.
  bool runs();
  /// Asks it to end by `signal`, and kills it where it does not in time.
  void stop(int signal);
  /// SIGKILL to it and all that descends from it, at once, as when the machine dies.
  void kill();
  /// Stops the clock of it and of all that descends from it.
  void pause();
  void resume();

 private:
  std::vector<pid_t> tree() const;

  pid_t pid_ = -1;
};

/// Runs it to its end; false, with a failure of the test that shows its output: it failed.
bool run_to_end(const ServerCommand& command);

/// The path of a server's program: the first that exists. Empty, with a failure of the test that
/// names the package: none does.
std::string program_of_package(const std::vector<std::string>& paths, const std::string& package);

/// A port of 127.0.0.1 that nobody has, and that the kernel gives to nobody who asks for any: a
/// server that is away for a while finds its own again.
uint16_t free_port();

/// Makes `path` the user's, where the test runs as root.
void give_to_user(const std::string& path, const std::string& user);

/// What stands in the file; "": it is gone.
std::string text_of_file(const std::string& path);

}  // namespace pollux
