// What stands between a stream and the selector: filters and windows, one after the other.
#pragma once

#include <memory>
#include <vector>

#include "tests/oracle/clock.h"
#include "tests/oracle/event.h"
#include "tests/oracle/expression.h"

namespace pollux::oracle {

/// A step of a source's chain. Each hands its chunks to the next one.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual void process(Chunk chunk) = 0;
  /// Chunks that were made together and leave the query together.
  virtual void process_list(std::vector<Chunk> chunks) {
    for (Chunk& chunk : chunks) process(std::move(chunk));
  }

  Stage* next = nullptr;
};

/// A window also tells what it holds, for joins.
class Window : public Stage {
 public:
  virtual std::vector<EventPtr> contents() const = 0;
};

struct WindowContext {
  Clock* clock = nullptr;
  bool expired_wanted = false;  ///< the query puts expired events out
  bool searched = false;        ///< a join looks into it
  const std::vector<Table*>* tables = nullptr;
};

/// The window `handler` names over a source with these fields; throws PlanError.
std::unique_ptr<Window> make_window(const ast::StreamHandler& handler, const Scope& scope,
                                    const WindowContext& context);

/// The window of a join's side that has none: holds nothing, expires each event at once.
std::unique_ptr<Window> make_empty_window(const WindowContext& context);

/// Lets through what fulfils the condition.
std::unique_ptr<Stage> make_filter(Bound condition, const WindowContext& context);

/// Null when the name is none of the windows in batch_window.cc, and so on.
using MakeWindow = std::unique_ptr<Window>(const ast::StreamHandler& handler, const Scope& scope,
                                           const WindowContext& context);
MakeWindow make_batch_window;
MakeWindow make_expression_window;
MakeWindow make_frequent_window;
MakeWindow make_session_window;

// ---- shared by the windows ----

Event with_kind(Event event, EventKind kind);
Event with_kind(Event event, EventKind kind, int64_t timestamp);
std::vector<EventPtr> to_pointers(const std::vector<Event>& events);
/// A constant parameter that is an int or a long.
int64_t constant_number(const ast::StreamHandler& handler, size_t index);
bool constant_flag(const ast::StreamHandler& handler, size_t index);
/// The value of an attribute parameter for an event.
Value attribute_of(const Bound& attribute, const Event& event);

}  // namespace pollux::oracle
