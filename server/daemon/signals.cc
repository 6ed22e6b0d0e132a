#include "server/daemon/signals.h"

#include <pthread.h>
#include <unistd.h>

#include "engine/base/check.h"

namespace pollux {

Signals::Signals() {
  ::sigemptyset(&awaited_);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) ::sigaddset(&awaited_, signal);
  POLLUX_CHECK(::pthread_sigmask(SIG_BLOCK, &awaited_, &before_) == 0);
}

Signals::~Signals() {
  while (wait(std::chrono::milliseconds(0)) != Signal::kNone) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Signals::wake() { ::kill(::getpid(), SIGUSR2); }

void Signals::let_stop_kill() {
  sigset_t killing;
  ::sigemptyset(&killing);
  for (int signal : {SIGTERM, SIGINT}) ::sigaddset(&killing, signal);
  POLLUX_CHECK(::pthread_sigmask(SIG_UNBLOCK, &killing, nullptr) == 0);
}

Signal Signals::wait(std::chrono::milliseconds timeout) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
  timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = std::chrono::nanoseconds(timeout - seconds).count();
  switch (::sigtimedwait(&awaited_, nullptr, &time)) {
    case SIGTERM:
    case SIGINT:
      return Signal::kStop;
    case SIGHUP:
      return Signal::kReload;
    case SIGUSR2:
      return Signal::kWake;
    default:  // nothing came, or a debugger came by
      return Signal::kNone;
  }
}

}  // namespace pollux
