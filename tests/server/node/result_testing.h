// Slices of results, and a durable log on a simulated disk, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/node/result_log.h"
#include "tests/persistence/sim/simulated_file_system.h"
#include "tests/server/node/node_testing.h"

namespace pollux {

inline SchemaPtr result_schema() {
  static const auto kSchema =
      std::make_shared<const Schema>("Out", std::vector<Attribute>{{"n", AttributeType::kInt}});
  return kSchema;
}

/// Rows 0, 1, ... of what entry 3.`position` brought about, each with its number.
inline ResultSlice slice_at(uint64_t position, int rows, const std::string& plan = "p") {
  ResultSlice slice;
  slice.plan = std::make_shared<const std::string>(plan);
  slice.cause = {{3}, {position}};
  std::vector<std::vector<Value>> values;
  for (int i = 0; i < rows; ++i) {
    values.push_back({int32_t{i}});
    slice.ordinals.push_back(static_cast<uint32_t>(i));
  }
  slice.batch = batch_of(result_schema(), values);
  return slice;
}

/// Appended, and there for readers.
inline void add(ResultLog& log, ResultSlice slice) {
  log.append(std::move(slice));
  log.flush();
}

/// "p 1.0" for each row from `from` on, as the log gives them now.
inline std::vector<std::string> rows_from(const ResultLog& log, uint64_t from) {
  std::vector<std::string> rows;
  while (true) {
    ResultLog::Read read = log.read(from, 3);
    EXPECT_TRUE(read.error.ok()) << read.error;
    EXPECT_FALSE(read.forgotten) << from;
    if (read.slices.empty()) return rows;
    for (const ResultSlicePtr& slice : read.slices) {
      for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
        EXPECT_EQ(slice->batch->value(row, 0), Value{static_cast<int32_t>(slice->ordinals[row])});
        if (slice->first + row < from) continue;
        rows.push_back(*slice->plan + " " + std::to_string(slice->cause.position.value) + "." +
                       std::to_string(slice->ordinals[row]));
      }
    }
    EXPECT_GT(read.next, from);
    from = read.next;
  }
}

/// A log that is dropped, without being closed, and opened again.
class DurableResultLogTest : public testing::Test {
 protected:
  static constexpr const char* kDirectory = "data/results/Out";

  DurableResultLogTest() {
    options_.directory = kDirectory;
    options_.log_bytes_max = 256 << 10;
    options_.outbox_bytes_max = 1 << 20;
    options_.memory_bytes_max = 16 << 10;
    options_.on_error = [this](const absl::Status& error) { errors_.push_back(error); };
    options_.new_id = [this] { return LogId{1, ++last_id_}; };
  }
  absl::Status open() {
    log_ = nullptr;
    auto log = ResultLog::open(disk_, result_schema(), options_);
    if (log.ok()) log_ = *std::move(log);
    return log.status();
  }
  /// The machine or the process ends, and all is there again as far as it lasted.
  absl::Status reopen(Crash crash) {
    log_ = nullptr;
    disk_.restart(crash);
    return open();
  }
  /// Entries from `first` on, of two rows each.
  void add_many(uint64_t first, uint64_t last) {
    for (uint64_t position = first; position <= last; ++position) add(*log_, slice_at(position, 2));
  }

  SimulatedFileSystem disk_{7};
  ResultLogOptions options_;
  uint64_t last_id_ = 0;
  std::vector<absl::Status> errors_;
  std::shared_ptr<ResultLog> log_;
};

}  // namespace pollux
