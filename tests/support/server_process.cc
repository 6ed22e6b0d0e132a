#include "tests/support/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string_view>

#include "tests/support/becomes_true.h"

namespace pollux {
namespace {

/// In the child: becomes the server. Never returns.
[[noreturn]] void become(const ServerCommand& command, const passwd* user, pid_t test) {
  std::vector<char*> words;
  words.reserve(command.words.size() + 1);
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  int log = ::open(command.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (log < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0) ::_exit(126);
  // A working directory that every user can read; a session without the terminal's signals.
  if (::chdir("/") != 0 || ::setsid() < 0) ::_exit(126);
  if (user != nullptr && (::initgroups(user->pw_name, user->pw_gid) != 0 ||
                          ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  // Behind setuid(), which takes it back.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != test) ::_exit(126);
  ::execv(words[0], words.data());
  ::_exit(127);
}

pid_t spawn(const ServerCommand& command) {
  const passwd* user = nullptr;
  if (!command.user.empty() && ::geteuid() == 0) {
    user = ::getpwnam(command.user.c_str());
    EXPECT_NE(user, nullptr) << "no user named " << command.user;
    if (user == nullptr) return -1;
  }
  pid_t test = ::getpid();
  pid_t child = ::fork();
  if (child == 0) become(command, user, test);
  EXPECT_GT(child, 0);
  return child;
}

/// Parent of each process there is.
std::map<pid_t, pid_t> parents() {
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string stat = text_of_file(entry.path() / "stat");  // "pid (name) state parent ..."
    size_t end_of_name = stat.rfind(')');
    if (end_of_name == std::string::npos) continue;  // it is gone
    std::istringstream rest(stat.substr(end_of_name + 1));
    char state = 0;
    pid_t parent = 0;
    if (rest >> state >> parent) parents[std::stoi(name)] = parent;
  }
  return parents;
}

/// Of "pid (name) state ...".
char state_in(const std::string& stat) {
  const size_t end_of_name = stat.rfind(')');
  return end_of_name == std::string::npos || end_of_name + 2 >= stat.size() ? '\0'
                                                                            : stat[end_of_name + 2];
}

/// A thread may go on for a moment behind a signal that stops its process.
bool stands_still(pid_t process) {
  std::error_code gone;
  std::filesystem::directory_iterator threads(
      std::filesystem::path("/proc") / std::to_string(process) / "task", gone);
  if (gone) return true;
  for (const auto& thread : threads) {
    const char state = state_in(text_of_file(thread.path() / "stat"));
    if (std::string_view("TtZX").find(state) == std::string_view::npos && state != '\0') {
      return false;
    }
  }
  return true;
}

}  // namespace

ServerProcess::~ServerProcess() { kill(); }

bool ServerProcess::start(const ServerCommand& command) {
  kill();
  pid_ = spawn(command);
  return pid_ > 0;
}

bool ServerProcess::runs() {
  if (pid_ <= 0) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

std::vector<pid_t> ServerProcess::tree() const {
  std::vector<pid_t> found;
  if (pid_ <= 0) return found;
  found.push_back(pid_);
  const std::map<pid_t, pid_t> all = parents();
  for (size_t i = 0; i < found.size(); ++i) {
    for (auto [child, parent] : all) {
      if (parent == found[i]) found.push_back(child);
    }
  }
  return found;
}

void ServerProcess::kill() {
  if (pid_ <= 0) return;
  // Paused first, so that nobody hears of another's end and still does something.
  pause();
  for (pid_t process : tree()) ::kill(process, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServerProcess::stop(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);
  becomes_true([this] { return !runs(); });
  kill();
}

void ServerProcess::pause() {
  // Until no new children turn up.
  for (size_t paused = 0; paused != tree().size();) {
    std::vector<pid_t> processes = tree();
    for (pid_t process : processes) ::kill(process, SIGSTOP);
    paused = processes.size();
  }
  for (pid_t process : tree()) becomes_true([process] { return stands_still(process); });
}

void ServerProcess::resume() {
  for (pid_t process : tree()) ::kill(process, SIGCONT);
}

bool run_to_end(const ServerCommand& command) {
  pid_t child = spawn(command);
  int status = -1;
  bool passed = child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
  EXPECT_TRUE(passed) << command.words[0] << " failed:\n" << text_of_file(command.log_path);
  return passed;
}

std::string program_of_package(const std::vector<std::string>& paths, const std::string& package) {
  for (const std::string& path : paths) {
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  ADD_FAILURE() << paths[0] << " is missing: install the package " << package
                << ", as scripts/lib/packages.txt has it";
  return "";
}

uint16_t free_port() {
  constexpr int kFirst = 10'000;
  int end = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> end;
  std::random_device random;
  std::uniform_int_distribution<int> any(kFirst, end - 1);
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = any(random);
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    ::close(fd);
    if (bound) return static_cast<uint16_t>(port);
  }
  ADD_FAILURE() << "no free port from " << kFirst << " to " << end;
  return 0;
}

void give_to_user(const std::string& path, const std::string& user) {
  if (::geteuid() != 0) return;
  const passwd* entry = ::getpwnam(user.c_str());
  ASSERT_NE(entry, nullptr) << "no user named " << user;
  ASSERT_EQ(::chown(path.c_str(), entry->pw_uid, entry->pw_gid), 0) << path;
}

std::string text_of_file(const std::string& path) {
  // Of a process that ends meanwhile, /proc fails to be read; an iterator would throw then.
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace pollux
