// Addresses of a host by a deadline, which the system's resolver does not know.
//
// A lookup that does not end goes on behind the call, in a thread of its own, and the next call
// waits for that one: so there is at most one. Thread: one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/remote/deadline.h"

namespace pollux {

class HostLookup {
 public:
  explicit HostLookup(std::string host) : host_(std::move(host)) {}

  /// As text, at least one, in the order in which they are to be tried. An address is its own.
  /// kUnavailable: the name has none; kDeadlineExceeded.
  absl::StatusOr<std::vector<std::string>> find(const Deadline& deadline);

 private:
  struct Running;

  std::string host_;
  std::shared_ptr<Running> running_;  // shared with its thread; null: none
};

}  // namespace pollux
