#include "tests/conformance/engine_subject.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/expression/address_lookup.h"
#include "engine/language/parser.h"

namespace pollux::conformance {
namespace {

Row row_of(const EventBatch& batch, uint32_t row) {
  Row values;
  for (size_t c = 0; c < batch.schema().size(); ++c) values.push_back(batch.value(row, c));
  return values;
}

/// Turns what passes through the plan into calls: rows that share an output id are one.
class Recorder final : public FlowObserver {
 public:
  void on_query(std::string_view query, const Chunk& chunk) override { record(true, query, chunk); }
  void on_stream(std::string_view stream, const Chunk& chunk) override {
    record(false, stream, chunk);
  }

  std::vector<Delivery> take() { return std::exchange(deliveries_, {}); }

 private:
  void record(bool query, std::string_view target, const Chunk& chunk) {
    if (chunk.rows == 0) deliveries_.push_back({query, std::string(target), {}});
    for (uint32_t i = 0; i < chunk.rows; ++i) {
      if (i == 0 || chunk.output_id(i) != chunk.output_id(i - 1)) {
        deliveries_.push_back({query, std::string(target), {}});
      }
      bool expired = (chunk.kind(i) & EventKind::kExpired) != 0;
      deliveries_.back().events.push_back({expired, row_of(*chunk.batch, chunk.row(i))});
    }
  }

  std::vector<Delivery> deliveries_;
};

/// The networks that are set aside for documentation, as a place.
class TestAddresses final : public AddressLookup {
 public:
  std::optional<std::string> country(std::string_view address) const override {
    return is_known(address) ? std::optional<std::string>("Testland") : std::nullopt;
  }
  std::optional<std::string> city(std::string_view address) const override {
    return is_known(address) ? std::optional<std::string>("Testville") : std::nullopt;
  }

 private:
  static bool is_known(std::string_view address) { return address.substr(0, 8) == "192.0.2."; }
};

class NoResults final : public ResultSink {
 public:
  void on_result(const ResultBatch&) override {}
};

template <class T>
Value as_number(const Value& value) {
  return std::visit(
      [](const auto& given) -> Value {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(given)>>) {
          return static_cast<T>(given);
        } else {
          return {};
        }
      },
      value);
}

bool is_whole(const Value& value) {
  return std::holds_alternative<int32_t>(value) || std::holds_alternative<int64_t>(value);
}

/// The value as the attribute's type has it: senders in Java are free to send any number, and whole
/// numbers as names. What is of another type altogether goes in as it is: null to everything, but
/// seen where it is shown.
Value fitted(const Value& value, AttributeType type) {
  bool number = is_whole(value) || std::holds_alternative<float>(value) ||
                std::holds_alternative<double>(value);
  if (number && type == AttributeType::kFloat) return as_number<float>(value);
  if (number && type == AttributeType::kDouble) return as_number<double>(value);
  if (!is_whole(value)) return value;
  int64_t whole = std::get<int64_t>(as_number<int64_t>(value));
  if (type == AttributeType::kLong) return whole;
  if (type == AttributeType::kInt && whole == static_cast<int32_t>(whole)) {
    return static_cast<int32_t>(whole);
  }
  if (type == AttributeType::kString) return std::to_string(whole);
  return value;
}

/// Whether the text was refused for a part of the language that is not there yet. Such a refusal is
/// not the one that a case may expect.
bool is_missing_part(const std::string& why) {
  static constexpr std::string_view kMissing[] = {
      "not supported yet",
  };
  return std::any_of(std::begin(kMissing), std::end(kMissing),
                     [&why](std::string_view part) { return why.find(part) != std::string::npos; });
}

class EngineSubject final : public Subject {
 public:
  EngineSubject(int64_t now_ms, Dialect dialect)
      : now_ms_(now_ms),
        dialect_(dialect),
        engine_({.clock = ClockMode::kEntry, .is_result = {}, .observer = &recorder_}) {}

  std::string deploy(const std::string& text) override {
    ApplyOutcome outcome = apply(DeployPayload{.plan = "case", .text = text, .dialect = dialect_});
    plan_ = outcome.plan;
    if (outcome.status == ApplyStatus::kApplied) return {};
    std::string why = outcome.reason + to_text(outcome.diagnostics, "case");
    if (is_missing_part(why)) throw Unsupported{why};
    return why;
  }

  void send(const std::string& stream, std::vector<SentEvent> events, bool one_chunk,
            int64_t now_ms) override {
    now_ms_ = now_ms;
    SchemaPtr schema = engine_.input_schema(stream);
    if (schema == nullptr) throw Unsupported{"no stream '" + stream + "' takes events"};
    auto batch = std::make_shared<EventBatch>(schema);
    batch->set_one_chunk(one_chunk);
    for (SentEvent& event : events) {
      event.row.resize(schema->size());
      for (size_t c = 0; c < schema->size(); ++c) {
        AttributeType type = (*schema)[c].type;
        batch->append_value(c, fitted(event.row[c], type));
        bool integer = type == AttributeType::kInt && std::holds_alternative<int64_t>(event.row[c]);
        bool name = type == AttributeType::kString && is_whole(event.row[c]);
        took_other_types_ = took_other_types_ || integer || name;
      }
      batch->end_row(event.timestamp);
    }
    expect_applied(apply(EventsPayload{std::move(batch)}));
  }

  bool took_other_types() const override { return took_other_types_; }

  void advance(int64_t now_ms) override {
    for (auto due = engine_.next_deadline(); due && due->ms <= now_ms;
         due = engine_.next_deadline()) {
      now_ms_ = std::max(now_ms_, due->ms);
      expect_applied(apply(TickPayload{}));
    }
    now_ms_ = now_ms;
    expect_applied(apply(TickPayload{}));
  }

  Answer query(const std::string& text) override {
    OnDemandResult parsed = parse_on_demand_query(text);
    bool asks = parsed.query.kind == ast::OnDemandQuery::Kind::kFind;
    return asks || !parsed.diagnostics.empty() ? ask(text) : write(text);
  }

  Answer write(const std::string& text) {
    ApplyOutcome outcome = apply(WritePayload{plan_, text});
    if (outcome.status == ApplyStatus::kApplied) return {};
    return {outcome.reason + to_text(outcome.diagnostics, "query"), {}};
  }

  Answer ask(const std::string& text) {
    QueryAnswer answer = engine_.query(plan_, text);
    if (!answer.status.ok()) {
      std::string why = answer.status.reason + to_text(answer.diagnostics, "query");
      if (is_missing_part(why)) throw Unsupported{why};
      return {why, {}};
    }
    Answer rows;
    for (uint32_t row = 0; row < answer.rows->rows(); ++row) {
      rows.rows.push_back(row_of(*answer.rows, row));
    }
    return rows;
  }

  std::string save() override {
    std::string state = engine_.save_state(plan_);
    if (state.empty()) throw Unsupported{"the plan is suspended"};
    return state;
  }

  std::string restore(const std::string& state) override {
    return engine_.restore_state(plan_, state);
  }

  bool has(bool query, const std::string& name) const override {
    if (!query) {
      for (const StreamInfo& stream : engine_.streams(plan_)) {
        if (stream.schema->name() == name) return true;
      }
      return false;
    }
    const std::optional<PlanDescription> description = engine_.describe(plan_);
    for (const QueryDescription& each : description->queries) {
      if (each.name == name) return true;
    }
    return false;
  }

  std::vector<std::string> attributes(const std::string& name) const override {
    std::vector<std::string> names;
    for (const StreamInfo& stream : engine_.streams(plan_)) {
      if (stream.schema->name() != name) continue;
      for (const Attribute& attribute : stream.schema->attributes()) {
        names.push_back(attribute.name);
      }
    }
    return names;
  }

  std::vector<StreamEndpoint> endpoints() const override {
    return engine_.describe(plan_)->endpoints;
  }

  std::vector<Delivery> take_deliveries() override { return recorder_.take(); }

 private:
  ApplyOutcome apply(EntryPayload payload) {
    return engine_.apply({{{1}, {++position_}}, {now_ms_}, std::move(payload)}, results_);
  }

  static void expect_applied(const ApplyOutcome& outcome) {
    if (outcome.status != ApplyStatus::kApplied) throw Unsupported{outcome.reason};
  }

  int64_t now_ms_;
  Dialect dialect_;
  uint64_t position_ = 0;
  Recorder recorder_;
  NoResults results_;
  Engine engine_;
  std::string plan_;
  bool took_other_types_ = false;
};

}  // namespace

std::unique_ptr<Subject> make_engine_subject(int64_t now_ms, Dialect dialect) {
  static const bool kAddressesAreKnown = [] {
    add_functions(address_functions(std::make_shared<TestAddresses>()));
    return true;
  }();
  static_cast<void>(kAddressesAreKnown);
  return std::make_unique<EngineSubject>(now_ms, dialect);
}

}  // namespace pollux::conformance
