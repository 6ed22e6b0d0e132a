// session: events of one key belong together until none of them comes for as long as the gap.
//
// Events pass at once; those of a session leave together when it is over. With a latency a session
// that is over still takes late events for that time.
#include <algorithm>

#include "tests/oracle/window.h"

namespace pollux::oracle {

namespace {

class SessionWindow : public Window {
 public:
  struct Options {
    int64_t gap = 0;
    Bound key;  ///< no eval: one session for all
    int64_t latency = 0;
  };

  SessionWindow(Options options, const WindowContext& context)
      : options_(std::move(options)), context_(context) {}

  void process(Chunk chunk) override {
    Chunk out, gone;
    for (Event& event : chunk) {
      if (event.kind == EventKind::kTimer) {
        time_out(event.timestamp, gone);
      } else if (event.kind == EventKind::kCurrent && take(event, gone)) {
        out.push_back(std::move(event));
      }
    }
    out.insert(out.end(), gone.begin(), gone.end());
    if (!out.empty()) next->process(std::move(out));
  }

  /// As in the original, where only sessions that are just leaving can be found.
  std::vector<EventPtr> contents() const override { return {}; }

 private:
  struct Session {
    std::vector<Event> events;
    int64_t start = 0, end = 0;
    int64_t alive = 0;  ///< with the latency
    uint64_t opened = 0;
  };
  struct Sessions {
    std::string key;
    Session current, previous;
  };

  Sessions& of_key(const Event& event) {
    std::string key;
    if (options_.key.eval) key = java_text(attribute_of(options_.key, event));
    for (auto& each : sessions_) {
      if (each->key == key) return *each;
    }
    sessions_.push_back(std::make_unique<Sessions>(Sessions{key, {}, {}}));
    return *sessions_.back();
  }

  void wake(int64_t time) {
    context_.clock->notify_at(time, [this](int64_t due) {
      process({Event{EventKind::kTimer, due, {}}});
    });
  }

  void extend(Session& session, int64_t time) {
    session.end = time + options_.gap;
    session.alive = session.end + options_.latency;
    wake(session.end);
  }

  static void leave(Session& session, Chunk& gone) {
    gone.insert(gone.end(), session.events.begin(), session.events.end());
    session.events.clear();
  }

  // False when the event is too late for any session: it vanishes.
  bool take(const Event& event, Chunk& gone) {
    Sessions& own = of_key(event);
    int64_t time = event.timestamp;
    Event held = with_kind(event, EventKind::kExpired);
    Session& current = own.current;
    if (current.events.empty()) {
      current.start = time;
      current.opened = opened_++;
    } else if (time < current.start) {
      return take_late(own, std::move(held));
    } else if (time > current.end) {
      leave(options_.latency == 0 ? current : own.previous, gone);
      own.previous = std::exchange(current, {});
      if (options_.latency > 0) wake(own.previous.alive);
      current.start = time;
      current.opened = opened_++;
    }
    current.events.push_back(std::move(held));
    extend(current, time);
    return true;
  }

  bool take_late(Sessions& own, Event held) {
    int64_t time = held.timestamp;
    Session& current = own.current;
    Session& previous = own.previous;
    if (time >= current.start - options_.gap) {
      current.events.insert(current.events.begin(), std::move(held));
      current.start = time;
      if (options_.latency > 0) merge(own);
      return true;
    }
    if (options_.latency == 0 || previous.events.empty() || time < previous.start - options_.gap) {
      return false;
    }
    previous.events.push_back(std::move(held));
    if (time <= previous.end - options_.gap && time < previous.start) {
      previous.start = time;
    } else {
      previous.end = time + options_.gap;
      previous.alive = previous.end + options_.latency;
      merge(own);
    }
    return true;
  }

  // A previous session that reaches up to the current one is part of it.
  void merge(Sessions& own) const {
    if (own.previous.events.empty() || own.previous.end < own.current.start - options_.gap) return;
    auto& events = own.current.events;
    events.insert(events.begin(), own.previous.events.begin(), own.previous.events.end());
    own.current.start = own.previous.start;
    own.previous.events.clear();
  }

  // The sessions that have events, those that end first first; of equals those opened first.
  std::vector<Session*> by_end(Session Sessions::*which) {
    std::vector<Session*> found;
    for (auto& each : sessions_) {
      if (!((*each).*which).events.empty()) found.push_back(&((*each).*which));
    }
    std::stable_sort(found.begin(), found.end(), [](const Session* a, const Session* b) {
      return std::pair(a->end, a->opened) < std::pair(b->end, b->opened);
    });
    return found;
  }

  void time_out(int64_t now, Chunk& gone) {
    for (Session* session : by_end(&Sessions::current)) {
      if (now < session->end) break;
      if (options_.latency == 0) {
        leave(*session, gone);
        continue;
      }
      auto own = std::find_if(sessions_.begin(), sessions_.end(),
                              [&](const auto& each) { return &each->current == session; });
      Session& previous = (*own)->previous;
      std::vector<Event> older = std::move(previous.events);
      previous = std::exchange(*session, {});
      previous.events.insert(previous.events.begin(), older.begin(), older.end());
      wake(previous.alive);
    }
    if (options_.latency == 0) return;
    for (Session* session : by_end(&Sessions::previous)) {
      if (now < session->alive) break;
      leave(*session, gone);
    }
  }

  Options options_;
  WindowContext context_;
  std::vector<std::unique_ptr<Sessions>> sessions_;
  uint64_t opened_ = 0;
};

}  // namespace

std::unique_ptr<Window> make_session_window(const ast::StreamHandler& handler, const Scope& scope,
                                            const WindowContext& context) {
  if (handler.name != "session") return nullptr;
  SessionWindow::Options options;
  options.gap = constant_number(handler, 0);
  for (size_t i = 1; i < handler.arguments.size(); ++i) {
    if (handler.arguments[i]->kind == ast::Expression::Kind::kReference) {
      options.key = bind(*handler.arguments[i], scope);
    } else {
      options.latency = constant_number(handler, i);
    }
  }
  if (options.latency > options.gap) throw PlanError{"a latency longer than the gap"};
  return std::make_unique<SessionWindow>(std::move(options), context);
}

}  // namespace pollux::oracle
