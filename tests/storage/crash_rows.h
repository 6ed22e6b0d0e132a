// The rows that a crash test writes: a function of seed and position, so that after a crash the
// test knows what must be there from the progress alone.
#pragma once

#include <cstdint>
#include <string>

#include "storage/record_store.h"

namespace pollux::testing {

inline constexpr std::string_view kCrashSources[] = {"-1234/a", "-1234/b"};

TableDefinition crash_events();  ///< appended
TableDefinition crash_counts();  ///< by key
/// Of each entry of the first source it takes one row and refuses one.
TableDefinition crash_refused();

/// The rows of entry `position` (1, 2, ...) of a source, at least one.
EventBatch crash_batch(const TableDefinition& table, uint32_t seed, size_t source,
                       uint64_t position);

/// Writes entries `position` of all sources to all tables, in a few writes.
absl::Status crash_write(RecordStore& store, uint32_t seed, uint64_t position);

}  // namespace pollux::testing
