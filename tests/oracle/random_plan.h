// Random plans and events for them: grammatical, well typed, and made so that groups, joins and
// patterns really meet. A seed gives the same case on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/types/schema.h"
#include "tests/oracle/event.h"

namespace pollux::oracle {

struct InputRow {
  int64_t timestamp = 0;
  Row row;
};

/// Rows of one stream that are sent in a row; `one_chunk` rows belong together as an Event[].
struct InputRun {
  std::string stream;
  bool one_chunk = false;
  std::vector<InputRow> rows;
};

struct RandomCase {
  uint64_t seed = 0;
  std::vector<SchemaPtr> inputs;
  /// Definitions first, then queries and partitions; each ends with ';'.
  std::vector<std::string> parts;
  std::vector<InputRun> runs;
  int64_t final_tick = 0;

  std::string plan() const;
  std::string events() const;  ///< readable, one row a line
};

/// `size` (1 ..) bounds the number of queries and of rows.
RandomCase random_case(uint64_t seed, int size);

}  // namespace pollux::oracle
