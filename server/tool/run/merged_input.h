// Rows of several readers in one order: by event time, and at equal times in the order in which the
// readers were added. Each reader's rows keep their own order, whatever their times.
//
// Memory: one row per reader. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/formats/row_reader.h"

namespace pollux::tool {

class MergedInput {
 public:
  void add(std::string name, std::unique_ptr<RowReader> reader);

  /// As RowReader::next(). The row or the error is that of reader(), until the next call.
  ReadStatus next(Wait wait);
  const RowReader& reader() const { return *heads_[current_].reader; }
  /// The name under which that reader was added.
  const std::string& name() const { return heads_[current_].name; }

  uint64_t bytes_read() const;
  uint64_t bytes_total() const;  ///< 0 when it is not known of all

 private:
  enum class State : uint8_t { kEmpty, kRow, kEnd };
  struct Head {
    std::string name;
    std::unique_ptr<RowReader> reader;
    State state = State::kEmpty;
  };

  std::vector<Head> heads_;
  size_t current_ = 0;
};

}  // namespace pollux::tool
