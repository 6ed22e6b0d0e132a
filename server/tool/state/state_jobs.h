// What the subcommands of `pollux state` do. Thread: the main thread. Failure: told on the console;
// the exit code says of which kind.
#pragma once

#include <string>

#include "server/tool/commands.h"

namespace pollux::tool {

struct StateListOptions {
  std::string directory{"."};
  bool verify = false;
  bool json = false;
};

/// The revisions of each plan, newest first. kBadInput: one cannot be used.
ExitCode list_states(const StateListOptions& options);

struct StateInspectOptions {
  std::string file;
  bool json = false;
};

/// Reads all of a revision, believes it only when every checksum is right, and tells what stands in
/// it. kBadInput: it is none, has rotted, or is of a newer version.
ExitCode inspect_state(const StateInspectOptions& options);

}  // namespace pollux::tool
