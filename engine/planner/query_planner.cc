#include "engine/planner/query_planner.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/operators/batch_selector.h"
#include "engine/operators/filter.h"
#include "engine/operators/sliding_selector.h"
#include "engine/operators/window_filter.h"
#include "engine/planner/annotations.h"
#include "engine/planner/timeless.h"

namespace pollux {
namespace {

/// Whether SlidingSelector can stand for the window.
bool is_plain_sliding(const WindowPlan& window) {
  return window.kind == WindowPlan::Kind::kLength || window.kind == WindowPlan::Kind::kTime ||
         window.kind == WindowPlan::Kind::kExternalTime;
}

/// Whether the rows of a batch need not be held until it ends, since nobody sees them but a
/// selector that lets one row stand for many.
bool can_fold(const WindowPlan& window, const ast::Selector& select, const SelectorPlan& plan) {
  bool batches = window.kind == WindowPlan::Kind::kLengthBatch ||
                 window.kind == WindowPlan::Kind::kTimeBatch ||
                 window.kind == WindowPlan::Kind::kExternalTimeBatch;
  bool rows_seen = window.stream_current || window.timeout_ms > 0 || window.start_attribute ||
                   window.replace_column >= 0 || plan.expired || !window.row_keys.empty();
  bool one_of_many = !plan.aggregates.empty() || !plan.group_by.empty();
  bool chosen_at_end =
      !plan.order_by.empty() || plan.limit || plan.offset || plan.group_keys_wanted;
  return batches && plan.batching && window.extent > 0 && !rows_seen && one_of_many &&
         !chosen_at_end && plan.current && is_timeless(select);
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
  POLLUX_CHECK(source.anonymous == nullptr);  // has become a query of its own
  Input input;
  input.names = {source.alias.empty() ? source.stream : source.alias};
  std::vector<std::string> known;
  if (!source.inner && !source.fault && is_external(source.stream)) {
    report(source.location, "events of external table '" + source.stream + "', which has none",
           "a stream of events that is joined with it: 'from S join T on S.key == T.key'");
    return std::nullopt;
  }
  std::string shown = (source.inner ? "#" : source.fault ? "!" : "") + source.stream;
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
  } else if (NamedWindow* window = source.fault ? nullptr : plan_.find_window(source.stream)) {
    input.junction = &window->output();
    input.schema = window->schema();
    input.window = window;
    flow_.reads_stream(source.stream);
    if (frame_ != nullptr) lead_into_partition(source.stream, input);
    return input;
  } else if (Plan::Stream* stream = plan_.find_stream(shown)) {
    input.junction = stream->junction.get();
    input.schema = input.junction->schema();
    flow_.reads_stream(shown);
    if (frame_ != nullptr) lead_into_partition(shown, input);
    return input;
  } else {
    for (const Plan::Stream& other : plan_.all_streams()) known.push_back(other.name);
    for (const auto& [name, window] : plan_.all_windows()) known.push_back(name);
  }
  if (source.fault && plan_.find_stream(source.stream) != nullptr) {
    report(source.location, "stream '" + source.stream + "' has no fault stream",
           "@OnError(action='STREAM') on its definition");
    return std::nullopt;
  }
  std::string near = nearest_name(shown, known);
  report(source.location, "unknown stream '" + shown + "'",
         "a stream defined before, or the output of a query before",
         near.empty() ? "" : "did you mean '" + near + "'?");
  return std::nullopt;
}

/// The way of a stream, or of what a named window puts out, to the queries of the partition.
void QueryPlanner::lead_into_partition(const std::string& name, Input& input) {
  PartitionInput*& way = frame_->inputs[name];
  if (way == nullptr) {  // what has no key reaches every instance
    flow_.force_row_by_row();
    way = &plan_.own(std::make_unique<PartitionInput>(*frame_->partition, plan_.context(), nullptr,
                                                      std::vector<PartitionInput::Range>{},
                                                      input.schema));
  }
  if (frame_->joined.insert(name).second) input.junction->add_reader(*way);
  input.junction = &way->inside();
}

void QueryPlanner::read(const Input& input, Receiver& reader) {
  input.junction->add_reader(reader);
}

SourcesScope QueryPlanner::scope_of(const std::vector<std::string>& names,
                                    const SchemaPtr& schema) const {
  SourcesScope scope({{names, schema, 0, 0}});
  if (plan_.context().dialect() == Dialect::k31) scope.go_by_any_name();
  return scope;
}

ExpressionPtr QueryPlanner::bind_filter(const ast::Expression& filter, Scope& scope) {
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  return binder.bind_condition(filter, "the filter");
}

std::optional<QueryPlanner::Handlers> QueryPlanner::bind_handlers(const ast::StreamSource& source,
                                                                  const Input& input) {
  Handlers handlers;
  handlers.schema = input.schema;
  bool good = true;
  for (const ast::StreamHandler& handler : source.handlers) {
    if (handler.kind == ast::StreamHandler::Kind::kWindow) {
      if (handlers.window != nullptr) {
        report(handler.location, "a second window on one stream", "one window");
        good = false;
      }
      handlers.window = &handler;
    } else if (handlers.window != nullptr) {
      handlers.after.push_back(&handler);
    } else {
      good = bind_step(handler, input.names, handlers.schema, handlers.before) && good;
    }
  }
  if (!good) return std::nullopt;
  return handlers;
}

bool QueryPlanner::bind_step(const ast::StreamHandler& handler,
                             const std::vector<std::string>& names, SchemaPtr& schema,
                             std::vector<Step>& steps) {
  Step& step = steps.emplace_back();
  if (handler.kind == ast::StreamHandler::Kind::kFilter) {
    SourcesScope scope = scope_of(names, schema);
    step.filter = bind_filter(*handler.filter, scope);
    return step.filter != nullptr;
  }
  step.function = bind_stream_function(handler, names, schema);
  if (step.function == nullptr) return false;
  schema = step.function->output();
  return true;
}

std::unique_ptr<StreamFunction> QueryPlanner::bind_stream_function(
    const ast::StreamHandler& handler, const std::vector<std::string>& names,
    const SchemaPtr& schema) {
  std::string name = "#" + handler.name;
  if (!handler.name_space.empty()) name = "#" + handler.name_space + ":" + handler.name;
  const StreamFunctionEntry* entry = find_stream_function(handler.name_space, handler.name);
  if (entry == nullptr) {
    std::vector<std::string> known;
    for (const StreamFunctionEntry& other : stream_function_table()) {
      std::string space = other.name_space.empty() ? "" : std::string(other.name_space) + ":";
      known.push_back("#" + space + std::string(other.name));
    }
    std::string near = nearest_name(name, known);
    report(handler.location, "unknown stream function '" + name + "'",
           "a known stream function, a filter or a window",
           near.empty() ? "" : "did you mean '" + near + "'?");
    return nullptr;
  }
  if (entry->holds_back) flow_.holds_rows_back();
  SourcesScope scope = scope_of(names, schema);
  StreamFunctionCall call{schema, {}, plan_.context()};
  ExpressionBinder binder(scope, plan_.context(), *this, diagnostics_);
  bool good = true;
  auto add = [&](ExpressionPtr argument) {
    good = good && argument != nullptr;
    call.arguments.push_back(std::move(argument));
  };
  for (const Attribute& attribute : schema->attributes()) {
    if (!handler.star) break;
    ast::Reference reference;
    reference.attribute = attribute.name;
    add(std::get<ExpressionPtr>(scope.attribute(reference)));
  }
  for (const ast::ExpressionPtr& argument : handler.arguments) add(binder.bind(*argument));
  if (!good) return nullptr;
  StreamFunctionResult result = entry->make(std::move(call));
  if (auto* error = std::get_if<CallError>(&result)) {
    report(handler.location, name + ": " + error->message, error->expected);
    return nullptr;
  }
  return std::get<std::unique_ptr<StreamFunction>>(std::move(result));
}

Receiver& QueryPlanner::chain_steps(std::vector<Step>& steps, Receiver& last) {
  Receiver* next = &last;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->function) {
      StreamFunction& function = own(std::move(step->function));
      function.set_next(*next);
      next = &function;
    } else {
      next = &own(std::make_unique<Filter>(step->filter, plan_.context(), *next));
    }
  }
  return *next;
}

void QueryPlanner::add_single(const ast::Query& query, const ast::StreamSource& source) {
  std::optional<Input> input = find_input(source);
  if (!input) return;
  std::optional<Handlers> handlers = bind_handlers(source, *input);
  std::optional<WindowPlan> window;
  bool good = handlers.has_value();
  SchemaPtr schema = good ? handlers->schema : input->schema;
  SourcesScope before = scope_of(input->names, schema);
  SourcesScope after = scope_of(input->names, schema);
  std::vector<Step> behind_window;
  bool plain_behind = true;  // nothing but filters stands behind the window
  if (handlers) {
    if (handlers->window != nullptr && input->window != nullptr) {
      report(handlers->window->location, "a window on top of a named window", "filters only");
      good = false;
    } else if (handlers->window != nullptr) {
      window = plan_window(*handlers->window, schema, before);
      good = window.has_value();
    }
    for (const ast::StreamHandler* handler : handlers->after) {
      bool filter = handler->kind == ast::StreamHandler::Kind::kFilter;
      if (filter && plain_behind) {
        behind_window.push_back({bind_filter(*handler->filter, after), nullptr});
        good = good && behind_window.back().filter != nullptr;
        continue;
      }
      plain_behind = false;
      const StreamFunctionEntry* entry = find_stream_function(handler->name_space, handler->name);
      if (!filter && entry != nullptr && entry->remembers) {
        report(handler->location,
               "'#" + handler->name_space + ":" + handler->name + "' stands behind a window",
               "it before the window");
        good = false;
        continue;
      }
      good = bind_step(*handler, input->names, schema, behind_window) && good;
    }
  }
  SourcesScope added({{input->names, schema, 0, 0}});
  SourcesScope& selected = plain_behind ? after : added;
  if (!plain_behind) after.use_all();
  std::vector<StarAttribute> star;
  for (const Attribute& attribute : schema->attributes()) {
    if (!query.selector.star) break;
    ast::Reference reference;
    reference.attribute = attribute.name;
    star.push_back({attribute.name, std::get<ExpressionPtr>(selected.attribute(reference))});
  }
  std::optional<Selection> selection = plan_selection(query, selected, star);
  if (!selection) return;
  SelectedReceiver* output = plan_output(query, *selection);
  if (output == nullptr || !good) return;

  bool aggregated = !selection->plan.aggregates.empty();
  bool expired = selection->plan.expired;
  PlanContext& context = plan_.context();
  // Rows that leave a sliding window cannot be seen unless they come out, are taken out of
  // aggregates, or pass a stream function.
  bool unseen = window && window->slides() && window->extent > 0 && !expired && plain_behind;
  if (unseen && !aggregated) {
    Selector& selector =
        own(std::make_unique<Selector>(std::move(selection->plan), context, *output));
    Receiver& first = chain_steps(behind_window, selector);
    return read(*input, chain_steps(handlers->before, first));
  }
  if (unseen && is_plain_sliding(*window) && behind_window.empty() && frame_ == nullptr) {
    SlidingSelector::Window sliding;
    sliding.extent = window->extent;
    sliding.external = window->time;
    if (window->kind == WindowPlan::Kind::kTime)
      sliding.kind = SlidingSelector::Window::Kind::kTime;
    if (window->time) sliding.kind = SlidingSelector::Window::Kind::kExternalTime;
    SlidingSelector& selector = own(std::make_unique<SlidingSelector>(
        std::move(selection->plan), std::move(sliding), context, *output));
    return read(*input, chain_steps(handlers->before, selector));
  }
  if (window && behind_window.empty() && frame_ == nullptr && !context.loops() &&
      can_fold(*window, query.selector, selection->plan)) {
    window->fold =
        &own(std::make_unique<BatchSelector>(std::move(selection->plan), context, *output));
    window->kept.assign(schema->size(), false);
    Receiver& pace = own(WindowOperator::make(std::move(*window), context, *window->fold));
    return read(*input, chain_steps(handlers->before, pace));
  }
  selection->plan.rows_stay = !window && input->window == nullptr;
  Selector& selector =
      own(std::make_unique<Selector>(std::move(selection->plan), context, *output));
  if (!window) return read(*input, chain_steps(handlers->before, selector));
  Receiver* behind = &selector;
  for (auto step = behind_window.rbegin(); step != behind_window.rend(); ++step) {
    if (step->function) {
      StreamFunction& function = own(std::move(step->function));
      function.set_next(*behind);
      behind = &function;
    } else {
      behind = &own(std::make_unique<WindowFilter>(step->filter, context, *behind));
    }
  }
  // A batch's expired rows meet a reset right behind them: only who sees them needs them.
  bool taken_out = window->retracts() || window->stream_current;
  window->expired_wanted =
      expired || (!plain_behind && window->retracts()) || (aggregated && taken_out);
  window->kept = after.used(0);
  window->keep_own_columns();
  WindowOperator& held = own(WindowOperator::make(std::move(*window), context, *behind));
  read(*input, chain_steps(handlers->before, held));
}

}  // namespace pollux
