// A plan's revisions on a simulated disk, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "persistence/state/revision_store.h"
#include "persistence/state/state_folder.h"
#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {

/// Text and numbers that pack, and some that do not; a function of the seed.
inline std::string some_state(uint64_t seed, size_t bytes) {
  std::mt19937_64 random(seed);
  std::string pattern;
  while (pattern.size() < 10'000) {
    pattern += "row " + std::to_string(random() % 1000) + ' ' + std::to_string(random());
  }
  std::string state;
  while (state.size() < bytes) state += std::to_string(state.size()) + pattern;
  state.resize(bytes);
  return state;
}

inline RevisionHeader some_header(uint64_t position) {
  return {revision_plan_hash("the plan"),
          1,
          {{3}, {position}},
          {static_cast<int64_t>(1'493'101'044'000 + position * 1000)}};
}

inline RevisionStore::Options login_alerts() {
  RevisionStore::Options options;
  options.location = "states";
  options.folder = state_folder_of("LoginAlerts");
  return options;
}

inline std::unique_ptr<RevisionStore> open_store(FileSystem& files) {
  auto store = RevisionStore::open(files, login_alerts());
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

/// Everything that a persister does.
inline absl::Status persist(RevisionStore& store, uint64_t position, std::string_view state) {
  auto writer = store.begin(some_header(position));
  if (!writer.ok()) return writer.status();
  absl::Status written = (*writer)->append(state);
  if (!written.ok()) return written;
  auto finished = (*writer)->finish();
  if (!finished.ok()) return finished.status();
  return store.prune();
}

inline std::vector<std::string> names_in(FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  auto entries = files.list(directory);
  EXPECT_TRUE(entries.ok()) << entries.status();
  if (entries.ok()) {
    for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
  }
  return names;
}

}  // namespace pollux
