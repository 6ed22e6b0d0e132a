// Rows in the binary format of COPY: a header, for each row the number of its columns and each
// value's length and bytes (network order), and a trailer; see PostgreSQL's manual, "COPY".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch/event_batch.h"

namespace pollux::postgres {

class CopyRows {
 public:
  CopyRows();
  /// The batch's columns, and then the time.
  void add(const EventBatch& batch, uint32_t row, int64_t time_ms);
  /// Only these columns.
  void add_key(const EventBatch& batch, uint32_t row, const std::vector<size_t>& columns);
  /// All of it; nothing may follow.
  std::string_view finish();

 private:
  std::string bytes_;
};

}  // namespace pollux::postgres
