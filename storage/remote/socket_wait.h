// Waiting for a socket, until a deadline.
#pragma once

#include "absl/status/statusor.h"
#include "storage/remote/deadline.h"

namespace pollux {

struct SocketEvents {
  bool readable = false;
  bool writable = false;
  bool urgent = false;
};

/// Which of the wanted events came first; an end of stream and an error are all of them.
/// kDeadlineExceeded: none in time.
absl::StatusOr<SocketEvents> wait_for_socket(int socket, SocketEvents wanted,
                                             const Deadline& deadline);

/// Whether something waits to be read: on a connection on which nothing was asked, that is its end.
bool is_readable_now(int socket);

}  // namespace pollux
