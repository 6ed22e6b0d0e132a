// Windows: what their parameters say, and those with a name.
#include <iterator>
#include <utility>

#include "engine/planner/query_planner.h"

namespace pollux {
namespace {

constexpr const char* kWindowNames[] = {"length",    "lengthBatch",  "time",
                                        "timeBatch", "externalTime", "externalTimeBatch"};

std::optional<WindowPlan::Kind> window_kind(const std::string& name) {
  using Kind = WindowPlan::Kind;
  constexpr Kind kKinds[] = {Kind::kLength,    Kind::kLengthBatch,  Kind::kTime,
                             Kind::kTimeBatch, Kind::kExternalTime, Kind::kExternalTimeBatch};
  for (size_t i = 0; i < std::size(kWindowNames); ++i) {
    if (name == kWindowNames[i]) return kKinds[i];
  }
  return std::nullopt;
}

bool is_batch(WindowPlan::Kind kind) {
  return kind == WindowPlan::Kind::kLengthBatch || kind == WindowPlan::Kind::kTimeBatch ||
         kind == WindowPlan::Kind::kExternalTimeBatch;
}

}  // namespace

bool QueryPlanner::window_argument(const ast::StreamHandler& handler, size_t index,
                                   const char* what, int64_t& value) {
  const ast::Expression& argument = *handler.arguments[index];
  if (const auto* number = std::get_if<int32_t>(&argument.constant)) {
    value = *number;
  } else if (const auto* large = std::get_if<int64_t>(&argument.constant)) {
    value = *large;
  } else {
    report(argument.location, std::string("the window's ") + what + " is no constant number",
           "a constant such as 10 or 1 min");
    return false;
  }
  if (value < 0) {
    report(argument.location, std::string("the window's ") + what + " is negative", "0 or more");
    return false;
  }
  return true;
}

std::optional<WindowPlan> QueryPlanner::plan_window(const ast::StreamHandler& handler,
                                                    const SchemaPtr& schema, Scope& scope) {
  using Kind = WindowPlan::Kind;
  std::optional<Kind> kind = handler.name_space.empty() ? window_kind(handler.name) : std::nullopt;
  if (!kind) {
    std::vector<std::string> known(std::begin(kWindowNames), std::end(kWindowNames));
    std::string near = nearest_name(handler.name, known);
    report(handler.location, "unknown window '" + handler.name + "'",
           "length, lengthBatch, time, timeBatch, externalTime or externalTimeBatch",
           near.empty() ? "" : "did you mean '" + near + "'?");
    return std::nullopt;
  }
  WindowPlan window;
  window.kind = *kind;
  window.schema = schema;
  const auto& arguments = handler.arguments;
  bool external = *kind == Kind::kExternalTime || *kind == Kind::kExternalTimeBatch;
  size_t least = external ? 2 : 1;
  size_t most = least;
  if (*kind == Kind::kLengthBatch) most = 2;
  if (*kind == Kind::kTimeBatch) most = 3;
  if (*kind == Kind::kExternalTimeBatch) most = 5;
  if (arguments.size() < least || arguments.size() > most) {
    report(handler.location,
           "window '" + handler.name + "' has " + std::to_string(arguments.size()) + " parameters",
           least == most ? std::to_string(least)
                         : std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  bool good = true;
  if (external) {
    window.time = binder.bind(*arguments[0]);
    if (window.time && window.time->type() != AttributeType::kLong) {
      report(arguments[0]->location, "the window's time is no long", "a long attribute");
      good = false;
    }
    good = good && window.time != nullptr;
  }
  bool by_length = *kind == Kind::kLength || *kind == Kind::kLengthBatch;
  good = window_argument(handler, external ? 1 : 0, by_length ? "length" : "time", window.extent) &&
         good;
  if (!by_length && window.extent <= 0) {
    report(handler.location, "the window's time is 0", "more than 0 milliseconds");
    good = false;
  }
  for (size_t a = least; a < arguments.size(); ++a) {
    const ast::Expression& argument = *arguments[a];
    bool flag = std::holds_alternative<bool>(argument.constant);
    if (flag && *kind == Kind::kExternalTimeBatch && a == 4) {
      auto* time = dynamic_cast<ColumnExpression*>(window.time.get());
      if (time != nullptr && std::get<bool>(argument.constant)) {
        window.replace_column = static_cast<int32_t>(time->column());
      }
    } else if (flag && *kind != Kind::kExternalTimeBatch) {
      window.stream_current = std::get<bool>(argument.constant);
    } else if (*kind == Kind::kExternalTimeBatch && a == 2 &&
               argument.kind == ast::Expression::Kind::kReference) {
      window.start_attribute = binder.bind(argument);
      good = good && window.start_attribute != nullptr;
      if (window.start_attribute && window.start_attribute->type() != AttributeType::kLong) {
        report(argument.location, "the window's start is no long", "a long attribute or constant");
        good = false;
      }
    } else if (*kind == Kind::kExternalTimeBatch && a == 3) {
      good = window_argument(handler, a, "timeout", window.timeout_ms) && good;
    } else if (a == least && *kind != Kind::kLengthBatch) {
      window.has_start = true;
      good = window_argument(handler, a, "start", window.start_ms) && good;
    } else {
      report(argument.location, "a parameter that window '" + handler.name + "' does not take",
             *kind == Kind::kLengthBatch ? "a bool" : "constants as the window's reference says");
      good = false;
    }
  }
  if (!good) return std::nullopt;
  if (*kind == Kind::kTime) flow_.counts_from_timestamps();
  if (is_batch(*kind)) flow_.holds_rows_back();
  return window;
}

void QueryPlanner::add_window(const ast::WindowDefinition& definition, const SchemaPtr& schema) {
  flow_.begin_query();
  flow_.reads_stream(window_entrance(definition.name));
  flow_.writes_stream(definition.name);
  frame_ = nullptr;
  SourcesScope scope({{{definition.name}, schema, 0, 0}});
  std::optional<WindowPlan> window = plan_window(definition.window, schema, scope);
  if (!window) return;
  using Events = ast::OutputAction::Events;
  NamedWindow::Output output;
  output.current = definition.events != Events::kExpired;
  output.expired = definition.events != Events::kCurrent;
  window->kept.assign(schema->size(), true);
  window->expired_wanted = output.expired;
  window->searched = true;
  plan_.all_windows()[definition.name] =
      std::make_unique<NamedWindow>(std::move(*window), output, plan_.context());
}

}  // namespace pollux
