// A node with a plan, for tests: rows in, results as text out.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/node/node.h"

namespace pollux {

constexpr std::chrono::seconds kPatience{20};

/// A batch of the stream's schema with one row for each list of values.
inline std::shared_ptr<EventBatch> batch_of(const SchemaPtr& schema,
                                            const std::vector<std::vector<Value>>& rows) {
  auto batch = std::make_shared<EventBatch>(schema);
  for (const std::vector<Value>& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) batch->append_value(c, row[c]);
    batch->end_row(1000);
  }
  return batch;
}

/// Submits and waits for the answer.
inline Submitted submit(Intake& intake, Submission submission) {
  std::promise<Submitted> answer;
  auto future = answer.get_future();
  intake.submit(std::move(submission), [&](Submitted submitted) { answer.set_value(submitted); });
  return future.get();
}

inline Submission submission_of(EventBatchPtr batch, std::string producer = "",
                                uint64_t number = 0) {
  Submission submission;
  submission.batch = std::move(batch);
  submission.producer = std::move(producer);
  submission.number = number;
  return submission;
}

/// Waits until the log has so many rows, and gives those it still holds as "id a b c".
inline std::vector<std::string> results_of(ResultLog& log, uint64_t rows) {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t heard = 0;
  auto listener = log.listen([&] {
    std::lock_guard lock(mutex);
    ++heard;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  while (true) {
    uint64_t before = heard;
    lock.unlock();
    bool there = log.end() >= rows;
    lock.lock();
    if (there) break;
    if (!changed.wait_for(lock, kPatience, [&] { return heard != before; })) break;
  }
  lock.unlock();
  std::vector<std::string> lines;
  for (const ResultSlicePtr& slice : log.read(log.begin(), SIZE_MAX).slices) {
    for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
      std::string line = result_id(*slice, row);
      for (size_t c = 0; c < slice->batch->schema().size(); ++c) {
        line += " " + to_text(slice->batch->value(row, c));
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace pollux
