// What the benchmark does with results: counts and reads them, or writes them as text.
//
// Both do exactly what CountingSink.java and ExportSink.java do, so that sums and texts of the same
// rows are equal. Thread: the feeding thread.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "engine/runtime/engine.h"

namespace pollux::bench {

/// Results stand on streams named Out, or Out1, Out2 and so on in a workload of several queries.
bool is_result_stream(std::string_view stream);
/// The number in the name; 0 for a workload of one query.
uint32_t query_of(std::string_view stream);

/// Reads every value of every row.
class CountingSink : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override;

  uint64_t rows() const { return rows_; }
  uint64_t checksum() const { return checksum_; }

 private:
  uint64_t rows_ = 0;
  uint64_t checksum_ = 0;
};

/// One line a row: the query's number and the values between tabs, doubles with nine significant
/// digits. Throws std::runtime_error when the file cannot be written.
class ExportSink : public ResultSink {
 public:
  explicit ExportSink(const std::string& path);
  void on_result(const ResultBatch& results) override;
  void finish();

  uint64_t rows() const { return rows_; }

 private:
  std::string path_;
  std::ofstream file_;
  std::string line_;
  uint64_t rows_ = 0;
};

}  // namespace pollux::bench
