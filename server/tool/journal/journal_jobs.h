// What the subcommands of `pollux journal` do. Thread: the main thread. Failure: told on the
// console; the exit code says of which kind.
#pragma once

#include <optional>
#include <string>

#include "server/tool/commands.h"
#include "server/tool/journal/entry_id_text.h"

namespace pollux::tool {

struct InspectOptions {
  std::string directory;
  bool json = false;
};

/// What stands in each segment, and in all of them. kBadInput: something has rotted or is newer.
ExitCode inspect_journal(const InspectOptions& options);

struct ExportOptions {
  std::string directory;
  std::optional<EntryPlace> from{};
  std::optional<EntryPlace> to{};
  std::string output{"-"};  ///< a file; - is standard output
};

/// The entries as lines of JSON, oldest first, up to the one that is the last at the begin of it.
/// kBadInput: one cannot be read; those before it have been written.
ExitCode export_journal(const ExportOptions& options);

}  // namespace pollux::tool
