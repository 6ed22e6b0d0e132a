// What the tests of all record stores run on: one kind of store for each executable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/record_store.h"

namespace pollux::testing {

/// A place of its own, where a store's tables stay while nobody has it open.
class StoreHome {
 public:
  virtual ~StoreHome() = default;
  /// Null, with a failure of the test: it cannot be opened.
  virtual std::unique_ptr<RecordStore> open() = 0;
};

struct StoreBackend {
  std::unique_ptr<StoreHome> (*make_home)();
  std::string strange_text;             ///< of what can be stored, the least harmless
  std::vector<std::string> characters;  ///< four, to make texts of
  bool changes_while_read = true;       ///< tables can be changed and dropped under a cursor
};

/// Of this executable.
const StoreBackend& store_backend();

}  // namespace pollux::testing
