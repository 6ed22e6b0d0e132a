// A file that may be written with hundreds of MiB at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "persistence/files/file_system.h"

namespace pollux {

/// So much is written between two syncs of a large file.
inline constexpr uint64_t kLargeFileSyncBytes = uint64_t{1} << 20;

/// The same file, synced each time so much was appended: a sync of the journal on that disk never
/// waits behind more.
std::unique_ptr<AppendFile> as_large_file(std::unique_ptr<AppendFile> file);

}  // namespace pollux
