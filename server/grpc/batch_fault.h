// What is wrong with a batch that a peer sent. A value: nothing of the batch is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pollux {

/// A fault in one row of a batch.
struct BadRow {
  uint32_t row = 0;    ///< counts from 0
  std::string field;   ///< the attribute's name, or "timestamps_ms"
  std::string reason;  ///< what was found and what was expected
};

/// More faults than these are only counted.
constexpr size_t kBadRowsMax = 100;

/// Either the shape of the whole batch is wrong (field and reason), or some of its rows are.
struct BatchFault {
  std::string field;
  std::string reason;
  std::vector<BadRow> rows;  ///< the first kBadRowsMax
  uint64_t row_faults = 0;   ///< all of them

  bool none() const { return reason.empty() && row_faults == 0; }
  void add_row(uint32_t row, const std::string& name, std::string why) {
    ++row_faults;
    if (rows.size() < kBadRowsMax) rows.push_back({row, name, std::move(why)});
  }
};

/// "field: reason", or how many rows are wrong and the first of them.
std::string to_text(const BatchFault& fault);

}  // namespace pollux
