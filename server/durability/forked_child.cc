#include "server/durability/forked_child.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr size_t kAnswerBytesMax = 4096;
constexpr int kNiceness = 10;

/// Closes every file but standard error and this one.
void close_others(int kept) {
  auto number = static_cast<unsigned>(kept);
  ::close_range(0, 1, 0);
  if (number > 3) ::close_range(3, number - 1, 0);
  ::close_range(number + 1, ~0U, 0);
}

/// The child's whole life.
[[noreturn]] void live(const std::function<absl::Status()>& work, pid_t parent, int line) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before that
  close_others(line);
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  char byte = 0;
  ssize_t got = 0;
  while ((got = ::read(line, &byte, 1)) < 0 && errno == EINTR) {
  }
  if (got != 1) ::_exit(1);
  absl::Status status = work();
  std::string text(1, static_cast<char>(status.code()));
  text += std::string(status.message()).substr(0, kAnswerBytesMax - 1);
  ssize_t sent = ::send(line, text.data(), text.size(), MSG_NOSIGNAL);
  bool told = sent == static_cast<ssize_t>(text.size());
  ::_exit(told ? 0 : 1);
}

absl::Status failed(const char* what) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ForkedChild>> ForkedChild::start(
    const std::function<absl::Status()>& work) {
  int line[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) != 0) {
    return failed("make a pair of sockets");
  }
  pid_t parent = ::getpid();
  pid_t child = ::fork();
  if (child == 0) live(work, parent, line[1]);
  ::close(line[1]);
  if (child < 0) {
    absl::Status why = failed("fork");
    ::close(line[0]);
    return why;
  }
  return std::unique_ptr<ForkedChild>(new ForkedChild(child, line[0]));
}

ForkedChild::~ForkedChild() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    reap();
  }
  ::close(line_);
}

void ForkedChild::reap() {
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

absl::Status ForkedChild::finish(std::chrono::milliseconds at_most) {
  using Clock = std::chrono::steady_clock;
  auto until = Clock::now() + at_most;
  if (::send(line_, "g", 1, MSG_NOSIGNAL) != 1) {
    return absl::AbortedError("the child that saves it has died");
  }
  std::string text;
  while (true) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd ready{line_, POLLIN, 0};
    int polled = ::poll(&ready, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) {
      return absl::DeadlineExceededError(
          absl::StrCat("the child that saves it took longer than ", at_most.count(), " ms"));
    }
    char buffer[kAnswerBytesMax];
    ssize_t bytes = ::read(line_, buffer, sizeof(buffer));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) break;
    text.append(buffer, static_cast<size_t>(bytes));
  }
  reap();
  if (text.empty()) return absl::AbortedError("the child that saves it has died");
  return {static_cast<absl::StatusCode>(text[0]), text.substr(1)};
}

}  // namespace pollux
