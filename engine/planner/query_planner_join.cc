// Joins: two sides, each a stream with or without a window, or a table, or an aggregation.
#include <algorithm>
#include <utility>

#include "engine/operators/join.h"
#include "engine/planner/query_planner.h"

namespace pollux {

std::optional<QueryPlanner::JoinPart> QueryPlanner::plan_join_part(
    const ast::StreamSource& source) {
  JoinPart part;
  if (!source.inner && !source.fault) {
    part.table = find_table(source.stream);
    part.aggregation = plan_.find_aggregation(source.stream);
    if (const ExternalPart* external = plan_.find_external(source.stream)) {
      part.table = external->rows.get();
      part.external = true;
    }
  }
  if (part.held()) {
    part.held_name = source.stream;
    part.input.schema = part.table ? part.table->schema() : part.aggregation->schema();
    part.input.names = {source.alias.empty() ? source.stream : source.alias};
    if (!source.handlers.empty()) {
      report(
          source.handlers[0].location,
          std::string(part.table ? "a table" : "an aggregation") + " takes no filters or windows",
          "the condition behind 'on'");
      return std::nullopt;
    }
    return part;
  }
  std::optional<Input> input = find_input(source);
  if (!input) return std::nullopt;
  part.input = std::move(*input);
  std::optional<Handlers> handlers = bind_handlers(source, part.input);
  if (!handlers) return std::nullopt;
  if (part.input.window != nullptr && handlers->schema != part.input.schema) {
    report(source.handlers[0].location, "attributes added to those of a named window",
           "filters only");
    return std::nullopt;
  }
  part.input.schema = handlers->schema;
  part.scope = std::make_unique<SourcesScope>(
      std::vector<NamedSource>{{part.input.names, part.input.schema, 0, 0}});
  if (!handlers->after.empty()) {
    report(handlers->after[0]->location, "a filter behind the window of a join's side",
           "filters before the window, or conditions behind 'on'");
    return std::nullopt;
  }
  part.handlers = std::move(*handlers);
  if (part.input.window == nullptr) return part;
  if (part.handlers.window != nullptr) {
    report(part.handlers.window->location, "a window on top of a named window", "filters only");
    return std::nullopt;
  }
  flow_.force_row_by_row();  // what is inserted by one row is found by the next
  return part;
}

/// How rows of one side find those of the other. Null after errors.
Searched* QueryPlanner::plan_search(const ast::JoinInput& join, JoinPart& searching,
                                    JoinPart& searched, WindowOperator* window,
                                    std::vector<bool>& searched_used, bool report_errors) {
  NamedSource row{searching.input.names, searching.input.schema, SearchSource::kRow, 0};
  NamedSource held{searched.input.names, searched.input.schema, SearchSource::kHeld, 0};
  SourcesScope scope({row, held});
  Diagnostics unheard;
  Diagnostics& heard = report_errors ? diagnostics_ : unheard;
  PlanContext& context = plan_.context();
  if (searched.table != nullptr) {
    auto is_table = [&](const ast::Reference& reference) {
      const auto& names = searched.input.names;
      if (!reference.stream.empty()) {
        return std::find(names.begin(), names.end(), reference.stream) != names.end();
      }
      return !searching.input.schema->find(reference.attribute) &&
             searched.input.schema->find(reference.attribute);
    };
    note_access(searched.held_name);
    auto condition = bind_table_condition(join.on.get(), *searched.table, is_table, scope, context,
                                          *this, heard);
    if (!condition) return nullptr;
    return &plan_.own(
        std::make_unique<TableSearch>(*searched.table, std::move(*condition), context));
  }
  ExpressionPtr condition;
  if (join.on) {
    ExpressionBinder binder(scope, context, *this, heard);
    condition = binder.bind_condition(*join.on, "the condition");
    if (!condition) return nullptr;
  }
  searched_used = scope.used(1);
  if (searched.aggregation != nullptr) {
    SourcesScope row_scope({row});
    auto wanted = plan_aggregation_window(join, *searched.aggregation, row_scope, heard);
    if (!wanted) return nullptr;
    note_access(searched.held_name);
    return &plan_.own(std::make_unique<AggregationSearch>(*searched.aggregation, std::move(*wanted),
                                                          std::move(condition), context));
  }
  if (window == nullptr)
    return &plan_.own(std::make_unique<EmptySearch>(searched.input.schema, context));
  bool named = searched.input.window != nullptr;
  return &plan_.own(std::make_unique<WindowSearch>(*window, named, std::move(condition), context));
}

namespace {

/// Hands rows on to a receiver that is made later.
class Forward final : public Receiver {
 public:
  void set(Receiver& next) { next_ = &next; }
  void receive(const Chunk& chunk) override {
    if (next_ != nullptr) next_->receive(chunk);
  }

 private:
  Receiver* next_ = nullptr;
};

}  // namespace

void QueryPlanner::add_join(const ast::Query& query, const ast::JoinInput& join) {
  bool dialect31 = plan_.context().dialect() == Dialect::k31;
  std::optional<JoinPart> parts[2] = {plan_join_part(join.left), plan_join_part(join.right)};
  if (!parts[0] || !parts[1]) return;
  for (size_t side : {0, 1}) {
    if (parts[side]->external && !plan_lookup(join, *parts[1 - side], *parts[side], side)) return;
  }
  if (parts[0]->held() && parts[1]->held()) {
    return report(join.right.location, "a join of two tables or aggregations",
                  "a stream on one side");
  }
  bool aggregated = parts[0]->aggregation != nullptr || parts[1]->aggregation != nullptr;
  if (!aggregated && (!join.within.empty() || join.per)) {
    return report(query.location, "'within' and 'per' where no aggregation is joined",
                  "a join without them, or with an aggregation");
  }
  if (!aggregated && join.within_ms && !dialect31) {
    return report(query.location, "'within' on a join of streams is of SiddhiQL 3.1",
                  "windows that are as long as that",
                  "an annotation such as @Plan:name('x') makes it a plan of 3.1");
  }
  auto left_size = static_cast<uint32_t>(parts[0]->input.schema->size());
  const uint32_t offsets[2] = {0, left_size};
  SourcesScope joined_scope({{parts[0]->input.names, parts[0]->input.schema, 0, 0},
                             {parts[1]->input.names, parts[1]->input.schema, 0, left_size}});
  std::vector<StarAttribute> star;
  for (size_t side = 0; side < 2 && query.selector.star; ++side) {
    for (const Attribute& attribute : parts[side]->input.schema->attributes()) {
      ast::Reference reference;
      reference.stream = parts[side]->input.names.back();
      reference.attribute = attribute.name;
      NameResult result = joined_scope.attribute(reference);
      if (std::holds_alternative<NameError>(result)) continue;
      star.push_back({attribute.name, std::get<ExpressionPtr>(result)});
    }
  }
  std::optional<Selection> selection = plan_selection(query, joined_scope, star);
  std::optional<WindowPlan> windows[2];
  bool good = selection.has_value();
  for (size_t side = 0; side < 2; ++side) {
    JoinPart& part = *parts[side];
    if (part.held()) continue;
    if (part.input.window != nullptr) continue;
    windows[side].emplace();
    windows[side]->schema = part.input.schema;
    if (part.handlers.window == nullptr) continue;
    windows[side] = plan_window(*part.handlers.window, part.input.schema, *part.scope);
    good = good && windows[side].has_value();
  }
  // Errors of the condition are told once, from the left side's view, or the stream's on a table.
  std::vector<bool> used_by_condition[2];
  size_t errors = diagnostics_.size();
  size_t viewer = parts[0]->held() ? 1 : 0;
  for (size_t side : {viewer, 1 - viewer}) {
    if (parts[side]->held()) continue;
    plan_search(join, *parts[side], *parts[1 - side], nullptr, used_by_condition[1 - side],
                side == viewer);
  }
  if (!good || diagnostics_.size() != errors) return;
  SelectedReceiver* output = plan_output(query, *selection);
  if (output == nullptr) return;

  bool expired = selection->plan.expired || !selection->plan.aggregates.empty();
  std::vector<Attribute> attributes = parts[0]->input.schema->attributes();
  for (const Attribute& attribute : parts[1]->input.schema->attributes()) {
    attributes.push_back(attribute);
  }
  auto joined = std::make_shared<Schema>("", std::move(attributes));
  Selector& selector =
      own(std::make_unique<Selector>(std::move(selection->plan), plan_.context(), *output));

  using Kind = ast::JoinInput::Kind;
  using Trigger = ast::JoinInput::Trigger;
  WindowOperator* held[2] = {nullptr, nullptr};
  Forward* forwards[2] = {nullptr, nullptr};
  Receiver* entrances[2] = {nullptr, nullptr};
  for (size_t side = 0; side < 2; ++side) {
    if (parts[side]->held()) continue;
    forwards[side] = &own(std::make_unique<Forward>());
    if (NamedWindow* named = parts[side]->input.window) {
      held[side] = &named->window();
      entrances[side] = &chain_steps(parts[side]->handlers.before, *forwards[side]);
      continue;
    }
    bool other_triggers = !parts[1 - side]->held() &&
                          (join.trigger == Trigger::kBoth ||
                           join.trigger == (side == 0 ? Trigger::kRight : Trigger::kLeft));
    WindowPlan& window = *windows[side];
    // Without a window rows leave at once and aggregations start afresh: unseen like a sliding
    // window's leaving rows where neither matters.
    bool unseen = window.kind == WindowPlan::Kind::kNone || (window.slides() && window.extent > 0);
    bool needless =
        unseen && !expired && (!other_triggers || window.kind == WindowPlan::Kind::kNone);
    Receiver* entrance = forwards[side];
    if (!needless) {
      // A batch's expired rows meet a reset right behind them: only who sees them needs them.
      window.expired_wanted = selection->plan.expired || (expired && window.retracts());
      window.resets_at_once = expired && window.stream_current && !window.expired_wanted;
      window.searched = other_triggers;
      window.kept = joined_scope.used(side);
      for (size_t c = 0; c < window.kept.size(); ++c) {
        // The condition is asked of this side's rows, whether they search or are searched.
        bool searched = !used_by_condition[side].empty() && used_by_condition[side][c];
        window.kept[c] = window.kept[c] || searched || join.on || join.per;
      }
      window.keep_own_columns();
      held[side] = &own(WindowOperator::make(std::move(window), plan_.context(), *forwards[side]));
      entrance = held[side];
    }
    entrances[side] = &chain_steps(parts[side]->handlers.before, *entrance);
  }
  bool same_input = parts[0]->input.junction == parts[1]->input.junction;
  if (same_input && parts[0]->input.window != nullptr) {
    read(parts[0]->input, *entrances[0]);  // a window searches itself once
  } else if (same_input) {
    read(parts[0]->input, own(std::make_unique<BothSides>(*entrances[0], *entrances[1], gate_)));
  } else {
    for (size_t side = 0; side < 2; ++side) {
      if (entrances[side] != nullptr) read(parts[side]->input, *entrances[side]);
    }
  }
  PendingResets& resets = plan_.own(std::make_unique<PendingResets>());
  for (size_t side = 0; side < 2; ++side) {
    bool triggers =
        !parts[side]->held() && (join.trigger == Trigger::kBoth ||
                                 join.trigger == (side == 0 ? Trigger::kLeft : Trigger::kRight));
    if (!triggers) continue;
    std::vector<bool> unused;
    Searched* other =
        plan_search(join, *parts[side], *parts[1 - side], held[1 - side], unused, true);
    if (other == nullptr) return;
    JoinSidePlan side_plan;
    side_plan.joined = joined;
    side_plan.own_offset = offsets[side];
    side_plan.other_offset = offsets[1 - side];
    side_plan.own_needed = joined_scope.used(side);
    side_plan.other_needed = joined_scope.used(1 - side);
    side_plan.outer = join.kind == Kind::kFullOuter ||
                      join.kind == (side == 0 ? Kind::kLeftOuter : Kind::kRightOuter);
    side_plan.apart = dialect31;
    if (!aggregated) side_plan.within_ms = join.within_ms;
    forwards[side]->set(
        own(std::make_unique<JoinSide>(std::move(side_plan), *other, resets, selector)));
  }
}

}  // namespace pollux
