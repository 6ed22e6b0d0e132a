// Windows that hold events as long as a condition on them holds: expression and expressionBatch.
//
// The condition is a text of its own. It sees the event in hand, the oldest (`first`) and the
// newest
// (`last`) of those held, and aggregates of them.
#include <deque>
#include <optional>

#include "engine/language/parser.h"
#include "tests/oracle/aggregator.h"
#include "tests/oracle/window.h"

namespace pollux::oracle {

namespace {

class HeldCondition {
 public:
  HeldCondition(const std::string& text, const Scope& outer, const WindowContext& context)
      : context_(context) {
    parsed_ = std::make_shared<ParseResult>(
        parse_plan("define stream S (a int); from S[" + text + "] select a insert into O;"));
    if (!parsed_->diagnostics.empty()) throw PlanError{"no condition: " + text};
    const auto& query = std::get<ast::Query>(parsed_->plan.elements.at(0));
    const auto& source = std::get<ast::StreamSource>(query.input);
    Scope scope = outer;
    scope.sources = {outer.sources.at(0), outer.sources.at(0), outer.sources.at(0)};
    scope.sources[1].names = {"first"};
    scope.sources[2].names = {"last"};
    scope.current = 0;
    scope.aggregators_allowed = true;
    int aggregators = 0;
    scope.aggregator_count = &aggregators;
    condition_ = bind(*source.handlers.at(0).filter, scope);
    if (condition_.type != AttributeType::kBool) throw PlanError{"no condition: " + text};
  }

  /// As a current event it enters the aggregates, as an expired one it leaves them; a reset empties
  /// them.
  bool holds(EventKind kind, const Event& event, const Event& first, const Event& last) {
    Combined combined;
    combined.kind = kind;
    combined.timestamp = event.timestamp;
    for (const Event* each : {&event, &first, &last}) {
      combined.slots.push_back({std::make_shared<Event>(*each)});
    }
    EvalContext eval{&combined, &aggregators_, context_.clock->now(), context_.tables};
    return is_true(condition_.eval(eval));
  }

 private:
  WindowContext context_;
  std::shared_ptr<ParseResult> parsed_;
  Bound condition_;
  AggregatorBank aggregators_;
};

class ExpressionWindow : public Window {
 public:
  ExpressionWindow(HeldCondition condition, const WindowContext& context)
      : condition_(std::move(condition)), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out;
    for (Event& event : chunk) {
      if (event.kind != EventKind::kCurrent) continue;
      take(event, out);
      out.push_back(std::move(event));
    }
    if (!out.empty()) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override {
    return to_pointers({held_.begin(), held_.end()});
  }

 private:
  void take(const Event& event, Chunk& out) {
    Event newest = with_kind(event, EventKind::kExpired);
    held_.push_back(newest);
    if (condition_.holds(EventKind::kCurrent, newest, held_.front(), newest)) return;
    while (!held_.empty()) {
      Event gone = with_kind(held_.front(), EventKind::kExpired, context_.clock->now());
      held_.pop_front();
      out.push_back(gone);
      const Event& first = held_.empty() ? gone : held_.front();
      const Event& last = held_.empty() ? gone : newest;
      if (condition_.holds(EventKind::kExpired, gone, first, last)) break;
    }
  }

  HeldCondition condition_;
  WindowContext context_;
  std::deque<Event> held_;
};

// The batch ends with the event with which the condition does not hold any more.
class ExpressionBatchWindow : public Window {
 public:
  ExpressionBatchWindow(HeldCondition condition, bool includes, const WindowContext& context)
      : condition_(std::move(condition)), includes_(includes), context_(context) {}

  void process(Chunk chunk) override {
    std::vector<Chunk> outs;
    for (Event& event : chunk) {
      if (event.kind != EventKind::kCurrent) continue;
      const Event first = batch_.empty() ? event : batch_.front();
      if (condition_.holds(EventKind::kCurrent, event, first, event)) {
        batch_.push_back(std::move(event));
        continue;
      }
      condition_.holds(EventKind::kReset, event, first, event);
      condition_.holds(EventKind::kCurrent, event, first, event);
      outs.push_back(end_batch(std::move(event)));
    }
    for (Chunk& out : outs) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override { return to_pointers(expired_); }

 private:
  Chunk end_batch(Event event) {
    int64_t now = context_.clock->now();
    Chunk out;
    for (const Event& old : expired_) out.push_back(with_kind(old, EventKind::kExpired, now));
    expired_.clear();
    if (batch_.empty()) {
      out.push_back(with_kind(event, EventKind::kExpired, now));
      out.push_back(with_kind(std::move(event), EventKind::kCurrent, now));
      return out;
    }
    for (const Event& held : batch_) {
      out.push_back(with_kind(held, EventKind::kCurrent, now));
      expired_.push_back(with_kind(held, EventKind::kExpired, now));
    }
    batch_.clear();
    if (includes_) {
      expired_.push_back(with_kind(event, EventKind::kExpired, now));
      out.push_back(std::move(event));
    } else {
      batch_.push_back(std::move(event));
    }
    return out;
  }

  HeldCondition condition_;
  bool includes_;
  WindowContext context_;
  std::vector<Event> batch_, expired_;
};

}  // namespace

std::unique_ptr<Window> make_expression_window(const ast::StreamHandler& handler,
                                               const Scope& scope, const WindowContext& context) {
  bool batch = handler.name == "expressionBatch";
  if (handler.name != "expression" && !batch) return nullptr;
  if (handler.arguments.empty()) throw PlanError{"a parameter is missing"};
  Value value = constant_value(*handler.arguments[0]);
  const std::string* text = std::get_if<std::string>(&value);
  if (text == nullptr) throw PlanError{"window " + handler.name + " takes a text"};
  HeldCondition condition(*text, scope, context);
  if (!batch) return std::make_unique<ExpressionWindow>(std::move(condition), context);
  bool includes = handler.arguments.size() > 1 && constant_flag(handler, 1);
  if (handler.arguments.size() > 2 && constant_flag(handler, 2)) {
    throw PlanError{"a streaming expressionBatch is not supported"};
  }
  return std::make_unique<ExpressionBatchWindow>(std::move(condition), includes, context);
}

}  // namespace pollux::oracle
