// What the commands that look at a server's files have in common. Thread: the main thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "persistence/files/file_system.h"
#include "server/formats/output_buffer.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"

namespace pollux::tool {

/// kBadInput for files that are rotten or newer, kFailed for what cannot be read or is not there.
ExitCode exit_code_of_files(const absl::Status& status);
std::string message_of(const absl::Status& status);

/// Whether a directory of that name stands there.
bool is_directory(FileSystem& files, const std::string& path);

/// Writes out what is held; `code`, or kFailed, and told, when that cannot be written. A reader
/// that went away is none of ours.
ExitCode finish_output(OutputBuffer& out, Console& console, const std::string& name, ExitCode code);

/// "2017-04-25 06:17:24.948" (UTC); the milliseconds alone where the year has no four digits.
std::string time_text(int64_t ms);

}  // namespace pollux::tool
