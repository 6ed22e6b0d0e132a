// A copy of the process that works on memory as it was at one moment, while the process goes on.
//
// The machine shares the pages and copies each one that either side writes: a state of any size is
// cut in the time it takes to copy page tables. The child holds none of the process's files or
// sockets, dies with it, and ends without running anything of it. Its work must start no threads
// and take no lock that another thread may have held. Thread: one at a time; the thread that starts
// a child must outlive it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pollux {

class ForkedChild {
 public:
  /// `work` is done in the child, once finish() lets it.
  static absl::StatusOr<std::unique_ptr<ForkedChild>> start(
      const std::function<absl::Status()>& work);
  /// One that has not finished is ended.
  ~ForkedChild();
  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;

  /// Lets the child work and waits for it. Its status; kDeadlineExceeded: it took longer and was
  /// ended; kAborted: it died.
  absl::Status finish(std::chrono::milliseconds at_most);

 private:
  ForkedChild(pid_t child, int line) : child_(child), line_(line) {}
  void reap();

  pid_t child_;
  int line_;  ///< a socket to the child
};

}  // namespace pollux
