// Windows: what their parameters say, and those with a name.
#include <iterator>
#include <utility>

#include "engine/planner/query_planner.h"

namespace pollux {
namespace {

using Kind = WindowPlan::Kind;

struct WindowName {
  const char* name;
  Kind kind;
  size_t least, most;  ///< parameters
};

constexpr size_t kAnyNumber = 64;
constexpr WindowName kWindows[] = {
    {"batch", Kind::kBatch, 0, 1},
    {"cron", Kind::kCron, 1, 1},
    {"delay", Kind::kDelay, 1, 1},
    {"externalTime", Kind::kExternalTime, 2, 2},
    {"externalTimeBatch", Kind::kExternalTimeBatch, 2, 5},
    {"length", Kind::kLength, 1, 1},
    {"lengthBatch", Kind::kLengthBatch, 1, 2},
    {"sort", Kind::kSort, 2, kAnyNumber},
    {"time", Kind::kTime, 1, 1},
    {"timeBatch", Kind::kTimeBatch, 1, 3},
    {"timeLength", Kind::kTimeLength, 2, 2},
};

const WindowName* find_window_name(const ast::StreamHandler& handler) {
  if (!handler.name_space.empty()) return nullptr;
  for (const WindowName& window : kWindows) {
    if (handler.name == window.name) return &window;
  }
  return nullptr;
}

std::string shown_names() {
  std::string shown;
  for (const WindowName& window : kWindows) {
    if (!shown.empty()) shown += &window == std::end(kWindows) - 1 ? " or " : ", ";
    shown += window.name;
  }
  return shown;
}

std::string shown_count(const WindowName& window) {
  std::string least = std::to_string(window.least);
  if (window.most == kAnyNumber) return least + " or more";
  return window.least == window.most ? least : least + " to " + std::to_string(window.most);
}

bool is_batch(Kind kind) {
  return kind == Kind::kLengthBatch || kind == Kind::kTimeBatch || kind == Kind::kExternalTimeBatch;
}

bool counts_rows(Kind kind) {
  return kind == Kind::kLength || kind == Kind::kLengthBatch || kind == Kind::kSort ||
         kind == Kind::kBatch;
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
  const WindowName* name = find_window_name(handler);
  const auto& arguments = handler.arguments;
  if (name == nullptr) {
    std::vector<std::string> known;
    for (const WindowName& window : kWindows) known.emplace_back(window.name);
    std::string near = nearest_name(handler.name, known);
    report(handler.location, "unknown window '" + handler.name + "'", shown_names(),
           near.empty() ? "" : "did you mean '" + near + "'?");
    return std::nullopt;
  }
  if (arguments.size() < name->least || arguments.size() > name->most) {
    report(handler.location,
           "window '" + handler.name + "' has " + std::to_string(arguments.size()) + " parameters",
           shown_count(*name));
    return std::nullopt;
  }
  WindowPlan window;
  window.kind = name->kind;
  window.schema = schema;
  bool good = true;
  bool external = window.kind == Kind::kExternalTime || window.kind == Kind::kExternalTimeBatch;
  if (external) good = window_time(*arguments[0], scope, window);
  size_t extent = external ? 1 : 0;
  bool rows = counts_rows(window.kind);
  if (window.kind == Kind::kCron) {
    good = window_cron(*arguments[0], window);
  } else if (extent < arguments.size()) {
    good = window_argument(handler, extent, rows ? "length" : "time", window.extent) && good;
  }
  if (!rows && window.kind != Kind::kCron && window.extent <= 0) {
    report(handler.location, "the window's time is 0", "more than 0 milliseconds");
    good = false;
  }
  if (window.kind == Kind::kSort) {
    good = window_order(handler, *schema, window) && good;
  } else if (window.kind == Kind::kTimeLength) {
    good = window_argument(handler, 1, "length", window.rows_max.emplace()) && good;
  } else {
    for (size_t a = name->least; a < arguments.size() && a > extent; ++a) {
      good = window_option(handler, a, name->least, scope, window) && good;
    }
  }
  if (!good) return std::nullopt;
  bool by_timestamp =
      window.kind == Kind::kTime || window.kind == Kind::kTimeLength || window.kind == Kind::kDelay;
  if (by_timestamp) flow_.counts_from_timestamps();
  bool holds_back = window.kind == Kind::kDelay || window.kind == Kind::kCron;
  if (is_batch(window.kind) || holds_back) flow_.holds_rows_back();
  return window;
}

/// The attribute that external windows take for the time.
bool QueryPlanner::window_time(const ast::Expression& argument, Scope& scope, WindowPlan& window) {
  window.time = ExpressionBinder(scope, plan_.context(), *this, diagnostics_).bind(argument);
  if (!window.time || window.time->type() == AttributeType::kLong) return window.time != nullptr;
  report(argument.location, "the window's time is no long", "a long attribute");
  return false;
}

bool QueryPlanner::window_cron(const ast::Expression& argument, WindowPlan& window) {
  const auto* text = std::get_if<std::string>(&argument.constant);
  std::string error = "the window's times are no text";
  if (text != nullptr) window.cron = CronSchedule::parse(*text, error);
  if (window.cron) return true;
  report(argument.location, std::move(error), "a cron expression such as '0 0/5 * * * ?'");
  return false;
}

/// sort: attributes, each with 'asc' or 'desc' behind it or without.
bool QueryPlanner::window_order(const ast::StreamHandler& handler, const Schema& schema,
                                WindowPlan& window) {
  bool good = true;
  for (size_t a = 1; a < handler.arguments.size(); ++a) {
    const ast::Expression& argument = *handler.arguments[a];
    if (argument.kind == ast::Expression::Kind::kReference) {
      std::optional<size_t> column = schema.find(argument.reference.attribute);
      if (column) window.sort_keys.push_back({static_cast<uint32_t>(*column), false});
      if (column && schema[*column].type != AttributeType::kObject) continue;
    } else if (const auto* order = std::get_if<std::string>(&argument.constant)) {
      bool descending = *order == "desc" || *order == "DESC";
      bool known = descending || *order == "asc" || *order == "ASC";
      if (known && !window.sort_keys.empty()) {
        window.sort_keys.back().descending = descending;
        continue;
      }
    }
    report(argument.location, "not an attribute to sort by, nor an order",
           "attributes, with 'asc' or 'desc' behind them");
    good = false;
  }
  return good;
}

/// The optional parameters of batch windows; `first` is the place of the first of them.
bool QueryPlanner::window_option(const ast::StreamHandler& handler, size_t index, size_t first,
                                 Scope& scope, WindowPlan& window) {
  const ast::Expression& argument = *handler.arguments[index];
  bool flag = std::holds_alternative<bool>(argument.constant);
  bool external = window.kind == Kind::kExternalTimeBatch;
  if (flag && external && index == 4) {
    auto* time = dynamic_cast<ColumnExpression*>(window.time.get());
    if (time != nullptr && std::get<bool>(argument.constant)) {
      window.replace_column = static_cast<int32_t>(time->column());
    }
    return true;
  }
  if (flag && !external) {
    window.stream_current = std::get<bool>(argument.constant);
    return true;
  }
  if (external && index == 2 && argument.kind == ast::Expression::Kind::kReference) {
    ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
    window.start_attribute = binder.bind(argument);
    if (!window.start_attribute) return false;
    if (window.start_attribute->type() == AttributeType::kLong) return true;
    report(argument.location, "the window's start is no long", "a long attribute or constant");
    return false;
  }
  if (external && index == 3) {
    return window_argument(handler, index, "timeout", window.timeout_ms);
  }
  if (index == first && window.kind != Kind::kLengthBatch) {
    window.has_start = true;
    return window_argument(handler, index, "start", window.start_ms);
  }
  report(argument.location, "a parameter that window '" + handler.name + "' does not take",
         window.kind == Kind::kLengthBatch ? "a bool" : "constants as the window's reference says");
  return false;
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
