#include "tests/engine/run_plan.h"

#include <gtest/gtest.h>

#include <memory>

#include "engine/runtime/engine.h"

namespace pollux {
namespace {

struct Lines : ResultSink {
  void on_result(const ResultBatch& results) override {
    const EventBatch& batch = *results.batch;
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      std::string line{results.stream};
      line += " @" + std::to_string(batch.timestamps()[row]);
      for (size_t c = 0; c < batch.schema().size(); ++c) line += " " + to_text(batch.value(row, c));
      lines.push_back(std::move(line));
    }
  }
  std::vector<std::string> lines;
};

}  // namespace

std::vector<std::string> run_plan(std::string_view text, std::string_view stream,
                                  const std::vector<TestRow>& rows, bool chunk) {
  Engine engine({.clock = ClockMode::kRow, .is_result = {}});
  Lines sink;
  ApplyOutcome deployed =
      engine.apply({{{1}, {1}}, {0}, DeployPayload{"test", std::string(text)}}, sink);
  EXPECT_EQ(deployed.status, ApplyStatus::kApplied) << to_text(deployed.diagnostics, "test");
  if (deployed.status != ApplyStatus::kApplied) return {};
  auto batch = std::make_shared<EventBatch>(engine.input_schema(stream));
  batch->set_one_chunk(chunk);
  for (const TestRow& row : rows) {
    for (size_t c = 0; c < row.values.size(); ++c) batch->append_value(c, row.values[c]);
    batch->end_row(row.timestamp_ms);
  }
  Timestamp newest{rows.back().timestamp_ms};
  ApplyOutcome applied = engine.apply({{{1}, {2}}, newest, EventsPayload{batch}}, sink);
  EXPECT_EQ(applied.status, ApplyStatus::kApplied) << applied.reason;
  return std::move(sink.lines);
}

}  // namespace pollux
