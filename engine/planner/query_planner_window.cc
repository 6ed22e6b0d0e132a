// Windows: which there are, what their parameters say, and those with a name.
#include <algorithm>
#include <utility>

#include "engine/expression/signature.h"
#include "engine/language/parser.h"
#include "engine/planner/query_planner.h"
#include "engine/planner/window_table.h"

namespace pollux {
namespace {

using Kind = WindowPlan::Kind;

std::string name_of_window(const ast::StreamHandler& handler) {
  return handler.name_space.empty() ? handler.name : handler.name_space + ":" + handler.name;
}

const WindowEntry* find_window_entry(const ast::StreamHandler& handler) {
  std::string name = name_of_window(handler);
  for (const WindowEntry& window : window_table()) {
    if (name == window.name) return &window;
  }
  return nullptr;
}

std::string shown_names() {
  std::string shown;
  for (const WindowEntry& window : window_table()) {
    if (!shown.empty()) shown += &window == &window_table().back() ? " or " : ", ";
    shown += window.name;
  }
  return shown;
}

std::string shown_count(const ParameterCount& count) {
  std::string least = std::to_string(count.least);
  if (count.more) return least + " or more";
  return count.least == count.most ? least : least + " to " + std::to_string(count.most);
}

bool counts_rows(Kind kind) {
  return kind == Kind::kLength || kind == Kind::kLengthBatch || kind == Kind::kSort ||
         kind == Kind::kBatch || kind == Kind::kUniqueLength;
}

/// Rows go on some time after they came, with the timestamps they had.
bool holds_rows_back(Kind kind) {
  return kind == Kind::kLengthBatch || kind == Kind::kTimeBatch ||
         kind == Kind::kExternalTimeBatch || kind == Kind::kDelay || kind == Kind::kCron ||
         kind == Kind::kSession;
}

/// The window wakes up some time after the timestamps of its rows.
bool counts_from_timestamps(Kind kind) {
  return kind == Kind::kTime || kind == Kind::kTimeLength || kind == Kind::kDelay ||
         kind == Kind::kSession || kind == Kind::kUniqueTime;
}

}  // namespace

bool QueryPlanner::window_leaves_in_order(const ast::StreamHandler& handler) {
  const WindowEntry* name = find_window_entry(handler);
  if (name == nullptr || name->unique != WindowEntry::Unique::kNo) return false;
  switch (name->kind) {
    case Kind::kSort:
    case Kind::kFrequent:
    case Kind::kLossyFrequent:
    case Kind::kSession:
    case Kind::kUnique:
    case Kind::kUniqueLength:
    case Kind::kUniqueTime:
      return false;
    default:
      return true;
  }
}

bool QueryPlanner::window_number(const ast::Expression& argument, const char* what,
                                 int64_t& value) {
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
  if (value > kSpanMsMax) {  // what it is added to must not overflow
    report(argument.location, std::string("the window's ") + what + " is too large",
           "at most " + std::to_string(kSpanMsMax));
    return false;
  }
  return true;
}

std::optional<WindowPlan> QueryPlanner::plan_window(const ast::StreamHandler& handler,
                                                    const SchemaPtr& schema, Scope& scope) {
  const WindowEntry* name = find_window_entry(handler);
  if (name == nullptr) {
    std::vector<std::string> known;
    for (const WindowEntry& window : window_table()) known.emplace_back(window.name);
    std::string near = nearest_name(name_of_window(handler), known);
    report(handler.location, "unknown window '" + name_of_window(handler) + "'", shown_names(),
           near.empty() ? "" : "did you mean '" + near + "'?");
    return std::nullopt;
  }
  size_t count = handler.arguments.size();
  ParameterCount takes = count_parameters(name->signature);
  if (count < takes.least || (count > takes.most && !takes.more)) {
    report(handler.location,
           "window '" + name_of_window(handler) + "' has " + std::to_string(count) + " parameters",
           shown_count(takes));
    return std::nullopt;
  }
  WindowPlan window;
  window.kind = name->kind;
  window.schema = schema;
  window.first_of_key = name->unique == WindowEntry::Unique::kFirst;
  Arguments arguments;
  for (const ast::ExpressionPtr& argument : handler.arguments) arguments.push_back(argument.get());
  bool good = true;
  if (name->unique != WindowEntry::Unique::kNo) {
    good = window_keys({arguments[0]}, scope, window);
    arguments.erase(arguments.begin());
  }
  good = window_parameters(handler, std::move(arguments), scope, window) && good;
  if (!good) return std::nullopt;
  if (counts_from_timestamps(window.kind)) flow_.counts_from_timestamps();
  if (holds_rows_back(window.kind)) flow_.holds_rows_back();
  return window;
}

/// The parameters behind the one that tells the rows of a batch apart.
bool QueryPlanner::window_parameters(const ast::StreamHandler& handler, Arguments arguments,
                                     Scope& scope, WindowPlan& window) {
  auto behind = [&arguments](size_t first) {
    return Arguments(arguments.begin() + static_cast<std::ptrdiff_t>(first), arguments.end());
  };
  bool good = true;
  switch (window.kind) {
    case Kind::kCron:
      return window_cron(*arguments[0], window);
    case Kind::kExpression:
    case Kind::kExpressionBatch:
      return window_expression(arguments, scope, window);
    case Kind::kFrequent:
    case Kind::kLossyFrequent:
      return window_counting(arguments, scope, window);
    case Kind::kSession:
      return window_session(arguments, scope, window);
    case Kind::kUnique:
    case Kind::kFirstUnique:
      return window_keys(arguments, scope, window);
    case Kind::kUniqueLength:
    case Kind::kUniqueTime:
      good = window_keys({arguments[0]}, scope, window);
      return window_extent(handler, *arguments[1], window) && good;
    case Kind::kExternalTime:
    case Kind::kExternalTimeBatch:
      good = window_time(*arguments[0], scope, window);
      good = window_extent(handler, *arguments[1], window) && good;
      return window_external_options(behind(2), scope, window) && good;
    case Kind::kSort:
      good = window_extent(handler, *arguments[0], window);
      return window_order(behind(1), window) && good;
    case Kind::kTimeLength:
      good = window_extent(handler, *arguments[0], window);
      return window_number(*arguments[1], "length", window.rows_max.emplace()) && good;
    default:
      if (arguments.empty()) return true;
      good = window_extent(handler, *arguments[0], window);
      return window_batch_options(handler, behind(1), window) && good;
  }
}

bool QueryPlanner::window_extent(const ast::StreamHandler& handler, const ast::Expression& argument,
                                 WindowPlan& window) {
  bool rows = counts_rows(window.kind);
  if (!window_number(argument, rows ? "length" : "time", window.extent)) return false;
  bool needs_rows = window.kind == Kind::kUniqueLength || !window.row_keys.empty();
  if (window.extent > 0 || (rows && !needs_rows)) return true;
  report(handler.location, rows ? "the window's length is 0" : "the window's time is 0",
         rows ? "1 or more" : "more than 0 milliseconds");
  return false;
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
bool QueryPlanner::window_order(const Arguments& arguments, WindowPlan& window) {
  const Schema& schema = *window.schema;
  bool good = true;
  for (const ast::Expression* argument : arguments) {
    if (argument->kind == ast::Expression::Kind::kReference) {
      std::optional<size_t> column = schema.find(argument->reference.attribute);
      if (column) {
        window.sort_keys.push_back({static_cast<uint32_t>(*column), false});
        window.own_columns.push_back(window.sort_keys.back().column);
      }
      if (column && schema[*column].type != AttributeType::kObject) continue;
    } else if (const auto* order = std::get_if<std::string>(&argument->constant)) {
      bool descending = *order == "desc" || *order == "DESC";
      bool known = descending || *order == "asc" || *order == "ASC";
      if (known && !window.sort_keys.empty()) {
        window.sort_keys.back().descending = descending;
        continue;
      }
    }
    report(argument->location, "not an attribute to sort by, nor an order",
           "attributes, with 'asc' or 'desc' behind them");
    good = false;
  }
  return good;
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
  auto named = std::make_unique<NamedWindow>(std::move(*window), output, plan_.context());
  plan_.add_state(named->window());
  plan_.all_windows()[definition.name] = std::move(named);
}

}  // namespace pollux
