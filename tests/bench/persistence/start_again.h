// How fast a node comes back: from its journal, and from states.
#pragma once

#include <cstdint>
#include <string>

namespace pollux::bench {

/// Journals so many events through a node in `folder`. Throws std::runtime_error.
void fill_journal(const std::string& folder, uint64_t events);

/// Starts a node in `folder`, which fill_journal() left: it applies all of them again. Prints one
/// JSON object. Throws std::runtime_error.
void measure_recovery(const std::string& folder);

/// Starts a node in `folder`, which measure_pause() left. Prints one JSON object: how fast the
/// state came back, and how fast its file is read from the disk. Throws std::runtime_error.
void measure_restore(const std::string& folder);

}  // namespace pollux::bench
