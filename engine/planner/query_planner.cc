#include "engine/planner/query_planner.h"

#include <algorithm>
#include <utility>

#include "engine/operators/batch_selector.h"
#include "engine/operators/filter.h"
#include "engine/operators/sliding_selector.h"
#include "engine/operators/window_filter.h"
#include "engine/planner/timeless.h"

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

bool is_sliding(WindowPlan::Kind kind) {
  return kind == WindowPlan::Kind::kLength || kind == WindowPlan::Kind::kTime ||
         kind == WindowPlan::Kind::kExternalTime;
}

/// Whether the rows of a batch need not be held until it ends, since nobody sees them but a
/// selector that lets one row stand for many.
bool can_fold(const WindowPlan& window, const ast::Selector& select, const SelectorPlan& plan) {
  bool batches = window.kind == WindowPlan::Kind::kLengthBatch ||
                 window.kind == WindowPlan::Kind::kTimeBatch ||
                 window.kind == WindowPlan::Kind::kExternalTimeBatch;
  bool rows_seen = window.stream_current || window.timeout_ms > 0 || window.start_attribute ||
                   window.replace_column >= 0 || plan.expired;
  bool one_of_many = !plan.aggregates.empty() || !plan.group_by.empty();
  bool chosen_at_end =
      !plan.order_by.empty() || plan.limit || plan.offset || plan.group_keys_wanted;
  return batches && window.extent > 0 && !rows_seen && one_of_many && !chosen_at_end &&
         plan.current && is_timeless(select);
}

}  // namespace

void QueryPlanner::report(const Location& location, std::string message, std::string expected,
                          std::string hint) {
  diagnostics_.push_back({location, std::move(message), std::move(expected), std::move(hint)});
}

Table* QueryPlanner::find_table(const std::string& name) {
  auto at = plan_.all_tables().find(name);
  return at == plan_.all_tables().end() ? nullptr : at->second.get();
}

std::vector<std::string> QueryPlanner::table_names() const {
  std::vector<std::string> names;
  for (const auto& [name, table] : plan_.all_tables()) names.push_back(name);
  return names;
}

void QueryPlanner::note_access(const std::string& name) { flow_.reads_table(name); }

void QueryPlanner::add(const ast::Query& query, PartitionFrame* frame) {
  frame_ = frame;
  flow_.begin_query();
  if (const auto* source = std::get_if<ast::StreamSource>(&query.input)) {
    add_single(query, *source);
  } else if (const auto* join = std::get_if<ast::JoinInput>(&query.input)) {
    add_join(query, *join);
  } else {
    add_pattern(query, std::get<ast::StateInput>(query.input));
  }
}

std::optional<QueryPlanner::Input> QueryPlanner::find_input(const ast::StreamSource& source) {
  if (source.anonymous) {
    report(source.location, "a query in place of a stream is not supported yet",
           "the name of a stream");
    return std::nullopt;
  }
  Input input;
  input.names = {source.alias.empty() ? source.stream : source.alias};
  std::vector<std::string> known;
  if (source.inner) {
    if (frame_ == nullptr) {
      report(source.location, "'#" + source.stream + "' stands outside of a partition",
             "inner streams only inside 'partition ... begin ... end'");
      return std::nullopt;
    }
    auto at = frame_->streams.find(source.stream);
    if (at != frame_->streams.end()) {
      input.junction = at->second.get();
      input.schema = input.junction->schema();
      flow_.reads_stream("#" + source.stream);
      return input;
    }
    for (const auto& [name, junction] : frame_->streams) known.push_back(name);
  } else if (Plan::Stream* stream = plan_.find_stream(source.stream)) {
    input.junction = stream->junction.get();
    input.schema = input.junction->schema();
    flow_.reads_stream(source.stream);
    if (frame_ == nullptr) return input;
    PartitionInput*& way = frame_->inputs[source.stream];
    if (way == nullptr) {  // a stream without a key reaches every instance
      flow_.force_row_by_row();
      way = &plan_.own(
          std::make_unique<PartitionInput>(*frame_->partition, plan_.context(), nullptr,
                                           std::vector<PartitionInput::Range>{}, input.schema));
    }
    if (frame_->joined.insert(source.stream).second) input.junction->add_reader(*way);
    input.junction = &way->inside();
    return input;
  } else {
    for (const Plan::Stream& other : plan_.all_streams()) known.push_back(other.name);
  }
  std::string near = nearest_name(source.stream, known);
  std::string shown = (source.inner ? "#" : "") + source.stream;
  report(source.location, "unknown stream '" + shown + "'",
         "a stream defined before, or the output of a query before",
         near.empty() ? "" : "did you mean '" + near + "'?");
  return std::nullopt;
}

void QueryPlanner::read(const Input& input, Receiver& reader) {
  input.junction->add_reader(reader);
}

ExpressionPtr QueryPlanner::bind_filter(const ast::Expression& filter, Scope& scope) {
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  return binder.bind_condition(filter, "the filter");
}

std::optional<QueryPlanner::Handlers> QueryPlanner::bind_handlers(const ast::StreamSource& source,
                                                                  Scope& scope) {
  Handlers handlers;
  bool good = true;
  for (const ast::StreamHandler& handler : source.handlers) {
    switch (handler.kind) {
      case ast::StreamHandler::Kind::kFunction:
        report(handler.location, "unknown stream function '#" + handler.name + "'",
               "a filter or a window");
        good = false;
        break;
      case ast::StreamHandler::Kind::kWindow:
        if (handlers.window != nullptr) {
          report(handler.location, "a second window on one stream", "one window");
          good = false;
        }
        handlers.window = &handler;
        break;
      case ast::StreamHandler::Kind::kFilter:
        if (handlers.window != nullptr) {
          handlers.after.push_back(&handler);
          break;
        }
        ExpressionPtr bound = bind_filter(*handler.filter, scope);
        good = good && bound != nullptr;
        handlers.before.push_back(std::move(bound));
    }
  }
  if (!good) return std::nullopt;
  return handlers;
}

Receiver& QueryPlanner::chain_filters(const std::vector<ExpressionPtr>& filters, Receiver& last) {
  Receiver* next = &last;
  for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter) {
    next = &own(std::make_unique<Filter>(*filter, plan_.context(), *next));
  }
  return *next;
}

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
  if (!is_sliding(*kind)) flow_.holds_rows_back();
  return window;
}

void QueryPlanner::add_single(const ast::Query& query, const ast::StreamSource& source) {
  std::optional<Input> input = find_input(source);
  if (!input) return;
  NamedSource named{input->names, input->schema, 0, 0};
  SourcesScope before({named});
  SourcesScope after({named});
  std::optional<Handlers> handlers = bind_handlers(source, before);
  std::optional<WindowPlan> window;
  bool good = handlers.has_value();
  std::vector<ExpressionPtr> filters_after;
  if (handlers) {
    if (handlers->window != nullptr) {
      window = plan_window(*handlers->window, input->schema, before);
      good = window.has_value();
    }
    for (const ast::StreamHandler* handler : handlers->after) {
      filters_after.push_back(bind_filter(*handler->filter, after));
      good = good && filters_after.back() != nullptr;
    }
  }
  std::vector<StarAttribute> star;
  for (const Attribute& attribute : input->schema->attributes()) {
    if (!query.selector.star) break;
    ast::Reference reference;
    reference.attribute = attribute.name;
    star.push_back({attribute.name, std::get<ExpressionPtr>(after.attribute(reference))});
  }
  std::optional<Selection> selection = plan_selection(query, after, star);
  if (!selection) return;
  SelectedReceiver* output = plan_output(query, *selection);
  if (output == nullptr || !good) return;

  bool aggregated = !selection->plan.aggregates.empty();
  bool expired = selection->plan.expired;
  PlanContext& context = plan_.context();
  // Rows that leave a sliding window cannot be seen unless they come out or are taken out of
  // aggregates.
  bool unseen = window && is_sliding(window->kind) && window->extent > 0 && !expired;
  if (unseen && !aggregated) {
    Selector& selector =
        own(std::make_unique<Selector>(std::move(selection->plan), context, *output));
    std::vector<ExpressionPtr> filters = handlers->before;
    filters.insert(filters.end(), filters_after.begin(), filters_after.end());
    return read(*input, chain_filters(filters, selector));
  }
  if (unseen && filters_after.empty() && frame_ == nullptr) {
    SlidingSelector::Window sliding;
    sliding.extent = window->extent;
    sliding.external = window->time;
    if (window->kind == WindowPlan::Kind::kTime)
      sliding.kind = SlidingSelector::Window::Kind::kTime;
    if (window->time) sliding.kind = SlidingSelector::Window::Kind::kExternalTime;
    SlidingSelector& selector = own(std::make_unique<SlidingSelector>(
        std::move(selection->plan), std::move(sliding), context, *output));
    return read(*input, chain_filters(handlers->before, selector));
  }
  if (window && filters_after.empty() && frame_ == nullptr && !context.loops() &&
      can_fold(*window, query.selector, selection->plan)) {
    window->fold =
        &own(std::make_unique<BatchSelector>(std::move(selection->plan), context, *output));
    window->kept.assign(input->schema->size(), false);
    Receiver& pace = own(WindowOperator::make(std::move(*window), context, *window->fold));
    return read(*input, chain_filters(handlers->before, pace));
  }
  Selector& selector =
      own(std::make_unique<Selector>(std::move(selection->plan), context, *output));
  if (!window) return read(*input, chain_filters(handlers->before, selector));
  Receiver* behind = &selector;
  for (auto filter = filters_after.rbegin(); filter != filters_after.rend(); ++filter) {
    behind = &own(std::make_unique<WindowFilter>(*filter, context, *behind));
  }
  // A batch's expired rows meet a reset right behind them: only who sees them needs them.
  window->expired_wanted =
      expired || (aggregated && (is_sliding(window->kind) || window->stream_current));
  window->kept = after.used(0);
  if (window->start_attribute) {
    auto* start = dynamic_cast<ColumnExpression*>(window->start_attribute.get());
    window->kept[start->column()] = true;
  }
  if (window->replace_column >= 0) {
    window->kept[static_cast<size_t>(window->replace_column)] = true;
  }
  WindowOperator& held = own(WindowOperator::make(std::move(*window), context, *behind));
  read(*input, chain_filters(handlers->before, held));
}

}  // namespace pollux
