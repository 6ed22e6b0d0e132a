// Errors in input rows: the first ones are printed, all are counted by kind.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/formats/row_error.h"
#include "server/tool/console.h"

namespace pollux::tool {

class ErrorReport {
 public:
  /// A file with millions of bad rows must not bury the terminal.
  static constexpr uint64_t kPrintedMax = 20;

  explicit ErrorReport(Console& console) : console_(console) {}

  void add(std::string_view file, const RowError& error);
  uint64_t total() const { return total_; }
  /// "3 rows with errors (2 wrong type, 1 short row)", or "no errors".
  std::string summary() const;

 private:
  Console& console_;
  std::array<uint64_t, kRowErrorKinds> counts_{};
  uint64_t total_ = 0;
};

}  // namespace pollux::tool
