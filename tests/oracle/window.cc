#include "tests/oracle/window.h"

#include <algorithm>
#include <deque>
#include <limits>

namespace pollux::oracle {

namespace {

class Filter : public Stage {
 public:
  Filter(Bound condition, const WindowContext& context)
      : condition_(std::move(condition)), context_(context) {}

  // A reset passes: aggregates begin afresh with every batch. The original judges it by the data
  // of the batch's first row, and lets sums run on where that row does not pass.
  void process(Chunk chunk) override {
    Chunk passed;
    for (Event& event : chunk) {
      if (event.kind == EventKind::kTimer) continue;
      if (event.kind == EventKind::kReset) {
        passed.push_back(std::move(event));
        continue;
      }
      Combined combined;
      combined.kind = event.kind;
      combined.timestamp = event.timestamp;
      combined.slots = {{std::make_shared<Event>(event)}};
      EvalContext eval{&combined, nullptr, context_.clock->now(), context_.tables};
      if (is_true(condition_.eval(eval))) passed.push_back(std::move(event));
    }
    if (!passed.empty()) next->process(std::move(passed));
  }

  void process_list(std::vector<Chunk> chunks) override {
    Chunk joined;
    for (Chunk& chunk : chunks) joined.insert(joined.end(), chunk.begin(), chunk.end());
    process(std::move(joined));
  }

 private:
  Bound condition_;
  WindowContext context_;
};

class LengthWindow : public Window {
 public:
  LengthWindow(int64_t length, const WindowContext& context) : length_(length), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out;
    for (Event& event : chunk) {
      Event expired = with_kind(event, EventKind::kExpired);
      if (static_cast<int64_t>(held_.size()) < length_) {
        held_.push_back(std::move(expired));
        out.push_back(std::move(event));
      } else if (length_ > 0) {
        out.push_back(with_kind(held_.front(), EventKind::kExpired, context_.clock->now()));
        held_.pop_front();
        held_.push_back(std::move(expired));
        out.push_back(std::move(event));
      } else {
        Event reset = with_kind(event, EventKind::kReset);
        out.push_back(std::move(event));
        out.push_back(std::move(expired));
        out.push_back(std::move(reset));
      }
    }
    next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override {
    return to_pointers({held_.begin(), held_.end()});
  }

 private:
  int64_t length_;
  WindowContext context_;
  std::deque<Event> held_;
};

// time, and timeLength when a length is given.
class TimeWindow : public Window {
 public:
  TimeWindow(int64_t time, int64_t length, const WindowContext& context)
      : time_(time), length_(length), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out;
    int64_t now = context_.clock->now();
    for (Event& event : chunk) {
      while (!held_.empty() && held_.front().timestamp - now + time_ <= 0) {
        out.push_back(with_kind(held_.front(), EventKind::kExpired, now));
        held_.pop_front();
      }
      if (event.kind != EventKind::kCurrent) continue;
      if (length_ >= 0 && static_cast<int64_t>(held_.size()) >= length_) {
        if (!held_.empty()) {
          out.push_back(with_kind(held_.front(), EventKind::kExpired, now));
          held_.pop_front();
          held_.push_back(with_kind(event, EventKind::kExpired));
        }
      } else {
        held_.push_back(with_kind(event, EventKind::kExpired));
      }
      // The original asks once for each timestamp that is newer than all before, and forgets rows
      // that come late; here each row asks.
      context_.clock->notify_at(event.timestamp + time_, [this](int64_t deadline) {
        process({Event{EventKind::kTimer, deadline, {}}});
      });
      out.push_back(std::move(event));
    }
    if (!out.empty()) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override {
    return to_pointers({held_.begin(), held_.end()});
  }

 private:
  int64_t time_;
  int64_t length_;
  WindowContext context_;
  std::deque<Event> held_;
};

class ExternalTimeWindow : public Window {
 public:
  ExternalTimeWindow(Bound timestamp, int64_t time)
      : timestamp_(std::move(timestamp)), time_(time) {}

  void process(Chunk chunk) override {
    Chunk out;
    for (Event& event : chunk) {
      int64_t now = as_long(attribute_of(timestamp_, event));
      while (!held_.empty() &&
             as_long(attribute_of(timestamp_, held_.front())) - now + time_ <= 0) {
        out.push_back(with_kind(held_.front(), EventKind::kExpired, now));
        held_.pop_front();
      }
      if (event.kind == EventKind::kCurrent) {
        held_.push_back(with_kind(event, EventKind::kExpired));
      }
      out.push_back(std::move(event));
    }
    next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override {
    return to_pointers({held_.begin(), held_.end()});
  }

 private:
  Bound timestamp_;
  int64_t time_;
  std::deque<Event> held_;
};

class DelayWindow : public Window {
 public:
  DelayWindow(int64_t time, const WindowContext& context) : time_(time), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out;
    int64_t now = context_.clock->now();
    for (Event& event : chunk) {
      while (!held_.empty() && held_.front().timestamp - now + time_ <= 0) {
        out.push_back(with_kind(held_.front(), EventKind::kCurrent, now));
        held_.pop_front();
      }
      if (event.kind != EventKind::kCurrent) continue;
      if (event.timestamp > newest_) {
        newest_ = event.timestamp;
        context_.clock->notify_at(event.timestamp + time_, [this](int64_t deadline) {
          process({Event{EventKind::kTimer, deadline, {}}});
        });
      }
      held_.push_back(std::move(event));
    }
    if (!out.empty()) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override {
    return to_pointers({held_.begin(), held_.end()});
  }

 private:
  int64_t time_;
  WindowContext context_;
  std::deque<Event> held_;
  int64_t newest_ = std::numeric_limits<int64_t>::min();
};

class SortWindow : public Window {
 public:
  struct Key {
    Bound attribute;
    bool descending;
  };

  SortWindow(int64_t length, std::vector<Key> keys, const WindowContext& context)
      : length_(length), keys_(std::move(keys)), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out;
    for (Event& event : chunk) {
      held_.push_back(with_kind(event, EventKind::kExpired));
      out.push_back(std::move(event));
      if (static_cast<int64_t>(held_.size()) <= length_) continue;
      std::stable_sort(held_.begin(), held_.end(),
                       [this](const Event& a, const Event& b) { return before(a, b); });
      out.push_back(with_kind(held_.back(), EventKind::kExpired, context_.clock->now()));
      held_.pop_back();
    }
    next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override { return to_pointers(held_); }

 private:
  bool before(const Event& a, const Event& b) const {
    for (const Key& key : keys_) {
      int order = order_of(attribute_of(key.attribute, a), attribute_of(key.attribute, b));
      if (order != 0) return key.descending ? order > 0 : order < 0;
    }
    return false;
  }

  int64_t length_;
  std::vector<Key> keys_;
  WindowContext context_;
  std::vector<Event> held_;
};

class EmptyWindow : public Window {
 public:
  explicit EmptyWindow(const WindowContext& context) : context_(context) {}

  void process(Chunk chunk) override {
    std::vector<Chunk> out;
    int64_t now = context_.clock->now();
    for (Event& event : chunk) {
      Chunk one = {event};
      if (context_.expired_wanted) one.push_back(with_kind(event, EventKind::kExpired, now));
      one.push_back(with_kind(std::move(event), EventKind::kReset, now));
      out.push_back(std::move(one));
    }
    next->process_list(std::move(out));
  }

  std::vector<EventPtr> contents() const override { return {}; }

 private:
  WindowContext context_;
};

std::unique_ptr<Window> make_sort(const ast::StreamHandler& handler, const Scope& scope,
                                  const WindowContext& context) {
  std::vector<SortWindow::Key> keys;
  for (size_t i = 1; i < handler.arguments.size(); ++i) {
    const ast::Expression& argument = *handler.arguments[i];
    if (argument.kind == ast::Expression::Kind::kReference) {
      keys.push_back({bind(argument, scope), false});
      continue;
    }
    Value value = constant_value(argument);
    const std::string* word = std::get_if<std::string>(&value);
    if (word == nullptr || keys.empty()) throw PlanError{"sort takes attributes and orders"};
    keys.back().descending = lower_case(*word) == "desc";
  }
  return std::make_unique<SortWindow>(constant_number(handler, 0), std::move(keys), context);
}

void need(const ast::StreamHandler& handler, size_t least, size_t most) {
  if (handler.arguments.size() < least || handler.arguments.size() > most) {
    throw PlanError{"wrong number of parameters of window " + handler.name};
  }
}

}  // namespace

std::unique_ptr<Stage> make_filter(Bound condition, const WindowContext& context) {
  if (condition.type != AttributeType::kBool) throw PlanError{"a filter must be a condition"};
  return std::make_unique<Filter>(std::move(condition), context);
}

std::unique_ptr<Window> make_empty_window(const WindowContext& context) {
  return std::make_unique<EmptyWindow>(context);
}

std::unique_ptr<Window> make_window(const ast::StreamHandler& handler, const Scope& scope,
                                    const WindowContext& context) {
  for (MakeWindow* make :
       {make_batch_window, make_expression_window, make_frequent_window, make_session_window}) {
    if (auto window = make(handler, scope, context)) return window;
  }
  const std::string& name = handler.name;
  if (name == "length") {
    need(handler, 1, 1);
    return std::make_unique<LengthWindow>(constant_number(handler, 0), context);
  }
  if (name == "time") {
    need(handler, 1, 1);
    return std::make_unique<TimeWindow>(constant_number(handler, 0), -1, context);
  }
  if (name == "timeLength") {
    need(handler, 2, 2);
    return std::make_unique<TimeWindow>(constant_number(handler, 0), constant_number(handler, 1),
                                        context);
  }
  if (name == "externalTime") {
    need(handler, 2, 2);
    return std::make_unique<ExternalTimeWindow>(bind(*handler.arguments[0], scope),
                                                constant_number(handler, 1));
  }
  if (name == "delay") {
    need(handler, 1, 1);
    return std::make_unique<DelayWindow>(constant_number(handler, 0), context);
  }
  if (name == "sort") {
    need(handler, 2, 64);
    return make_sort(handler, scope, context);
  }
  throw PlanError{"no window " + name};
}

Event with_kind(Event event, EventKind kind) {
  event.kind = kind;
  return event;
}

Event with_kind(Event event, EventKind kind, int64_t timestamp) {
  event.kind = kind;
  event.timestamp = timestamp;
  return event;
}

std::vector<EventPtr> to_pointers(const std::vector<Event>& events) {
  std::vector<EventPtr> pointers;
  for (const Event& event : events) pointers.push_back(std::make_shared<Event>(event));
  return pointers;
}

int64_t constant_number(const ast::StreamHandler& handler, size_t index) {
  if (index >= handler.arguments.size()) throw PlanError{"a parameter is missing"};
  Value value = constant_value(*handler.arguments.at(index));
  if (!std::holds_alternative<int32_t>(value) && !std::holds_alternative<int64_t>(value)) {
    throw PlanError{"window " + handler.name + " takes a number here"};
  }
  return as_long(value);
}

bool constant_flag(const ast::StreamHandler& handler, size_t index) {
  Value value = constant_value(*handler.arguments.at(index));
  if (!std::holds_alternative<bool>(value)) {
    throw PlanError{"window " + handler.name + " takes true or false here"};
  }
  return std::get<bool>(value);
}

Value attribute_of(const Bound& attribute, const Event& event) {
  Combined combined;
  combined.slots = {{std::make_shared<Event>(event)}};
  EvalContext context;
  context.event = &combined;
  return attribute.eval(context);
}

}  // namespace pollux::oracle
