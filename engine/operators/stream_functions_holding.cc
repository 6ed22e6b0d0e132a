// Stream functions that remember rows: reorder:kslack and unique:deduplicate.
#include <optional>
#include <utility>

#include "engine/operators/stream_function.h"
#include "engine/operators/windows_reorder.h"

namespace pollux {
namespace {

/// A window that nothing leaves as expired, among the functions of a stream.
class HoldingFunction final : public StreamFunction {
 public:
  HoldingFunction(WindowPlan plan, PlanContext& context)
      : StreamFunction(plan.schema), out_(*this) {
    window_ = WindowOperator::make(std::move(plan), context, out_);
  }

  void receive(const Chunk& chunk) override { window_->receive(chunk); }
  void drop_key(uint32_t key) override { window_->drop_key(key); }
  size_t state_bytes() const override { return window_->state_bytes(); }
  void archive_state(StateArchive& archive) override { window_->archive_state(archive); }

 private:
  class Out final : public Receiver {
   public:
    explicit Out(HoldingFunction& owner) : owner_(owner) {}
    void receive(const Chunk& chunk) override { owner_.next().receive(chunk); }

   private:
    HoldingFunction& owner_;
  };

  Out out_;
  std::unique_ptr<WindowOperator> window_;
};

WindowPlan plan_over(const SchemaPtr& input, WindowPlan::Kind kind) {
  WindowPlan plan;
  plan.kind = kind;
  plan.schema = input;
  plan.kept.assign(input->size(), true);
  return plan;
}

/// A constant int or long.
std::optional<int64_t> whole_number(const Expression& expression) {
  const Vec* constant = expression.constant();
  if (constant == nullptr || constant->is_null(0)) return std::nullopt;
  if (expression.type() == AttributeType::kInt) return constant->at<int32_t>(0);
  if (expression.type() == AttributeType::kLong) return constant->at<int64_t>(0);
  return std::nullopt;
}

StreamFunctionResult make_kslack(StreamFunctionCall call) {
  constexpr const char* kExpected =
      "a long attribute, and as constants a timeout, the greatest slack, and whether late rows go";
  std::vector<ExpressionPtr>& in = call.arguments;
  if (in.empty() || in.size() > 4) {
    return CallError{std::to_string(in.size()) + " parameters", "1 to 4"};
  }
  if (in[0]->type() != AttributeType::kLong) return CallError{"the time is no long", kExpected};
  WindowPlan plan = plan_over(call.input, WindowPlan::Kind::kReorder);
  plan.time = in[0];
  for (size_t i = 1; i < in.size() && i < 3; ++i) {
    std::optional<int64_t> given = whole_number(*in[i]);
    if (!given) return CallError{"a parameter that is no constant number", kExpected};
    if (*given < 0) continue;  // there is none
    (i == 1 ? plan.timeout_ms : plan.slack_max_ms) = *given;
  }
  if (in.size() == 4) {
    const Vec* flag = in[3]->constant();
    if (flag == nullptr || in[3]->type() != AttributeType::kBool) {
      return CallError{"a flag that is no constant bool", kExpected};
    }
    plan.drop_late = flag->at<uint8_t>(0) != 0;
  }
  return std::make_unique<HoldingFunction>(std::move(plan), call.context);
}

StreamFunctionResult make_deduplicate(StreamFunctionCall call) {
  constexpr const char* kExpected = "an attribute of a plain type, and a constant time";
  std::vector<ExpressionPtr>& in = call.arguments;
  if (in.size() != 2) return CallError{std::to_string(in.size()) + " parameters", kExpected};
  std::optional<int64_t> time = whole_number(*in[1]);
  bool tells_apart = in[0]->constant() == nullptr && in[0]->type() != AttributeType::kObject;
  if (!tells_apart || !time || *time < 0) {
    return CallError{"these are no key and time", kExpected};
  }
  WindowPlan plan = plan_over(call.input, WindowPlan::Kind::kDeduplicate);
  plan.row_keys.push_back(in[0]);
  plan.extent = *time;
  return std::make_unique<HoldingFunction>(std::move(plan), call.context);
}

}  // namespace

std::vector<StreamFunctionEntry> holding_stream_functions() {
  return {
      {"reorder", "kslack",
       "(<long> time [, <long> timeout [, <long> slack max [, <bool> discard late]]])",
       "Lets events go on in the order of their times, as late as events were seen to come.",
       make_kslack, true, true},
      {"unique", "deduplicate", "(<any> key, <long> time)",
       "Drops events of a key that had one within the time before.", make_deduplicate, true, false},
  };
}

}  // namespace pollux
