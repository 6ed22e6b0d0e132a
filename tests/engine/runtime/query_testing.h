// An engine with one plan, fed row by row, and answers as text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/engine.h"

namespace pollux::test {

using Row = std::vector<Value>;

class NoResults final : public ResultSink {
 public:
  void on_result(const ResultBatch&) override {}
};

inline EventBatchPtr batch_of(const SchemaPtr& schema, const std::vector<Row>& rows,
                              const std::vector<int64_t>& times) {
  auto batch = std::make_shared<EventBatch>(schema);
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t c = 0; c < schema->size(); ++c) batch->append_value(c, rows[row].at(c));
    batch->end_row(times[row]);
  }
  return batch;
}

/// "a,1;b,null": the rows of a batch.
inline std::string text_of(const EventBatch& batch) {
  std::string text;
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    if (row > 0) text += ";";
    for (size_t c = 0; c < batch.schema().size(); ++c) {
      if (c > 0) text += ",";
      text += to_text(batch.value(row, c));
    }
  }
  return text;
}

class AskedPlan {
 public:
  explicit AskedPlan(const std::string& text) {
    ApplyOutcome outcome = engine_->apply(entry(0, DeployPayload{"plan", text}), results_);
    EXPECT_EQ(outcome.status, ApplyStatus::kApplied)
        << outcome.reason << to_text(outcome.diagnostics, "plan");
    name_ = outcome.plan;
  }

  void send(const std::string& stream, Row row, int64_t time) {
    send_all(stream, {std::move(row)}, time);
  }

  /// Rows of one time, in one batch.
  void send_all(const std::string& stream, const std::vector<Row>& rows, int64_t time) {
    std::vector<int64_t> times(rows.size(), time);
    EventBatchPtr batch = batch_of(engine_->input_schema(stream), rows, times);
    ApplyOutcome outcome = engine_->apply(entry(time, EventsPayload{batch}), results_);
    EXPECT_EQ(outcome.status, ApplyStatus::kApplied) << outcome.reason;
  }

  QueryAnswer ask(const std::string& text, OnDemandOptions options = {}) const {
    return engine_->query(name_, text, options);
  }

  /// The rows, or what is wrong.
  std::string answer(const std::string& text) const {
    QueryAnswer answer = ask(text);
    if (!answer.status.ok()) return answer.status.reason + to_text(answer.diagnostics, "");
    return text_of(*answer.rows);
  }

  Engine& engine() { return *engine_; }
  const std::string& name() const { return name_; }

 private:
  Entry entry(int64_t time, EntryPayload payload) {
    return {{{1}, {++position_}}, {time}, std::move(payload)};
  }

  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>();
  NoResults results_;
  std::string name_;
  uint64_t position_ = 0;
};

}  // namespace pollux::test
