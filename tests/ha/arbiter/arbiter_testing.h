// Records and names for tests of arbiters.
#pragma once

#include <optional>

#include "ha/arbiter/arbiter_record.h"

namespace pollux {

inline constexpr JournalId kCastor{0xCA5701, 1};
inline constexpr JournalId kPolydeuces{0x901DE, 2};

/// Of this version, with epochs that grow with it, led by `active` alone.
inline ArbiterRecord record_of(uint64_t version, JournalId active = kCastor) {
  ArbiterRecord record;
  record.domain = DomainId{0xD0, 0x3A1};
  record.version = version;
  record.epoch = Epoch{version};
  record.active = active;
  return record;
}

}  // namespace pollux
