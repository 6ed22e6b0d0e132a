// A number that stands for what a plan holds, or has brought about, at a position: equal on both
// nodes of a pair, or one of them is wrong. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/types/ids.h"

namespace pollux {

/// Frozen: stands in messages.
enum class HashKind : uint8_t {
  kState = 1,    ///< of the plan's state behind the entry at that position
  kResults = 2,  ///< of the results of all entries of the interval that ends there
};
constexpr size_t kHashKinds = 2;

constexpr const char* name_of(HashKind kind) {
  return kind == HashKind::kState ? "state" : "results";
}

struct PlanHash {
  std::string plan;
  HashKind kind = HashKind::kState;
  Position at;
  uint64_t hash = 0;
};

}  // namespace pollux
