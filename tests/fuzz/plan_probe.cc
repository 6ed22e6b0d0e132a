#include "tests/fuzz/plan_probe.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/language/parser.h"
#include "engine/runtime/engine.h"

namespace pollux {
namespace {

constexpr size_t kStreamsMax = 6;  ///< that get events
constexpr uint32_t kRows = 14;     ///< a stream
constexpr int kTicksMax = 40;
constexpr int64_t kStartMs = 1'500'000'000'000;

class NoResults final : public ResultSink {
 public:
  void on_result(const ResultBatch&) override {}
};

/// Some of each row are null, some are at the ends of what the type holds.
Value value_of(AttributeType type, uint32_t seed) {
  static const char* const kTexts[] = {"", "a", "b", "IBM", "longer than twelve bytes", "\xC3\xA9"};
  if (seed % 7 == 6) return {};
  int64_t small = static_cast<int64_t>(seed % 5) - 1;
  switch (type) {
    case AttributeType::kString:
      return std::string(kTexts[seed % std::size(kTexts)]);
    case AttributeType::kInt:
      return seed % 11 == 3 ? std::numeric_limits<int32_t>::min() : static_cast<int32_t>(small);
    case AttributeType::kLong:
      if (seed % 11 == 3) return std::numeric_limits<int64_t>::max();
      if (seed % 11 == 4) return std::numeric_limits<int64_t>::min();
      return seed % 2 == 0 ? small : kStartMs + small * 700;
    case AttributeType::kFloat:
      return seed % 11 == 3 ? std::numeric_limits<float>::infinity() : static_cast<float>(small);
    case AttributeType::kDouble:
      return seed % 11 == 3 ? std::numeric_limits<double>::quiet_NaN()
                            : static_cast<double>(small) * 1.5;
    case AttributeType::kBool:
      return seed % 2 == 0;
    case AttributeType::kObject:
      return {};
  }
  return {};
}

/// A deployed plan and the clock it lives by.
class Probe {
 public:
  explicit Probe(ClockMode clock) : engine_({.clock = clock, .is_result = {}}) {}

  /// True when the plan was taken.
  bool deploy(std::string_view text) {
    ApplyOutcome outcome = apply(DeployPayload{"probe", std::string(text)});
    plan_ = outcome.plan;
    return outcome.status != ApplyStatus::kRejected;
  }

  void send_events() {
    std::vector<SchemaPtr> inputs;
    for (const StreamInfo& stream : engine_.streams(plan_)) {
      if (stream.input && inputs.size() < kStreamsMax) inputs.push_back(stream.schema);
    }
    // One event of each in turn, then the rest of each at once, then one chunk.
    for (uint32_t row = 0; row < kRows; ++row) {
      for (const SchemaPtr& schema : inputs) send(schema, row, row + 1, false);
      let_time_pass(row == 3 ? 60'000 : 400);
    }
    for (const SchemaPtr& schema : inputs) send(schema, 0, kRows, false);
    for (const SchemaPtr& schema : inputs) send(schema, kRows, 2 * kRows, true);
    let_time_pass(int64_t{400} * 24 * 3600 * 1000);
  }

  void ask_tables(std::string_view text) {
    for (const TableInfo& table : engine_.tables(plan_)) {
      engine_.query(plan_, "from `" + table.schema->name() + "` select *");
    }
    engine_.query(plan_, text);
    engine_.describe(plan_);
    engine_.state_bytes();
    apply(UndeployPayload{plan_});
  }

 private:
  ApplyOutcome apply(EntryPayload payload) {
    ApplyOutcome outcome =
        engine_.apply({{{1}, {++position_}}, {now_ms_}, std::move(payload)}, nowhere_);
    // A plan may exhaust what it is given; an assertion of ours must hold whatever it does.
    POLLUX_CHECK(outcome.reason.find("failed: ") == std::string::npos);
    return outcome;
  }

  void send(const SchemaPtr& schema, uint32_t begin, uint32_t end, bool one_chunk) {
    auto batch = std::make_shared<EventBatch>(schema);
    batch->set_one_chunk(one_chunk);
    for (uint32_t row = begin; row < end; ++row) {
      for (size_t c = 0; c < schema->size(); ++c) {
        batch->append_value(c, value_of((*schema)[c].type, row * 3 + static_cast<uint32_t>(c)));
      }
      batch->end_row(now_ms_ + (row % 4 == 3 ? -1500 : static_cast<int64_t>(row) * 10));
    }
    apply(EventsPayload{std::move(batch)});
  }

  void let_time_pass(int64_t ms) {
    int64_t end = now_ms_ + ms;
    for (int i = 0; i < kTicksMax; ++i) {
      std::optional<Timestamp> due = engine_.next_deadline();
      if (!due || due->ms > end) break;
      now_ms_ = std::max(now_ms_, due->ms);
      apply(TickPayload{});
    }
    now_ms_ = end;
    apply(TickPayload{});
  }

  NoResults nowhere_;
  Engine engine_;
  std::string plan_;
  uint64_t position_ = 0;
  int64_t now_ms_ = kStartMs;
};

/// Mistakes are told in the order of the text, with words.
void check_diagnostics(const Diagnostics& diagnostics) {
  Location last;
  for (const Diagnostic& one : diagnostics) {
    POLLUX_CHECK(!one.message.empty());
    POLLUX_CHECK(std::pair(one.location.line, one.location.column) >=
                 std::pair(last.line, last.column));
    last = one.location;
  }
  to_text(diagnostics, "text");
}

}  // namespace

void probe_plan(std::string_view text) {
  check_diagnostics(parse_on_demand_query(text).diagnostics);
  Diagnostics diagnostics = Engine::validate(text);
  check_diagnostics(diagnostics);
  for (ClockMode clock : {ClockMode::kEntry, ClockMode::kRow}) {
    Probe probe(clock);
    bool taken = probe.deploy(text);
    POLLUX_CHECK(taken == diagnostics.empty());
    if (!taken) return;
    probe.send_events();
    probe.ask_tables(text);
  }
}

}  // namespace pollux
