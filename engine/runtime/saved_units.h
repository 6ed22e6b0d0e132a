// The bytes of a saved state (plan_state.h) as the units and sections that stand in them.
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pollux {

constexpr uint32_t kStateMagic = 0x53584c50;  // "PLXS"
constexpr uint32_t kStateFormat = 2;

struct SavedSection {
  uint32_t version = 0;  ///< of its operator's format
  std::string_view payload;
};

struct SavedUnit {
  std::string_view name;
  uint64_t hash = 0;  ///< of text and inputs
  std::vector<SavedSection> sections;
};

/// Whether it begins as a state does, of whatever format.
bool is_state(std::string_view bytes);

/// Appends the units, views into `bytes`. Returns what is wrong; empty when nothing is.
std::string read_units(std::string_view bytes, std::vector<SavedUnit>& units);

}  // namespace pollux
