#include "storage/remote/socket_wait.h"

#include <poll.h>

#include <cerrno>
#include <system_error>

namespace pollux {

absl::StatusOr<SocketEvents> wait_for_socket(int socket, SocketEvents wanted,
                                             const Deadline& deadline) {
  pollfd entry{};
  entry.fd = socket;
  if (wanted.readable) entry.events |= POLLIN;
  if (wanted.writable) entry.events |= POLLOUT;
  if (wanted.urgent) entry.events |= POLLPRI;
  for (;;) {
    int64_t left = deadline.remaining_ms();
    if (left == 0) return absl::DeadlineExceededError("no answer in time");
    int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) {
      return absl::UnavailableError("cannot wait for an answer: " +
                                    std::generic_category().message(errno));
    }
    if (ready <= 0) continue;
    bool over = (entry.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    SocketEvents events;
    events.readable = wanted.readable && (over || (entry.revents & POLLIN) != 0);
    events.writable = wanted.writable && (over || (entry.revents & POLLOUT) != 0);
    events.urgent = wanted.urgent && (entry.revents & POLLPRI) != 0;
    return events;
  }
}

bool is_readable_now(int socket) {
  pollfd entry{};
  entry.fd = socket;
  entry.events = POLLIN;
  return ::poll(&entry, 1, 0) != 0;
}

}  // namespace pollux
