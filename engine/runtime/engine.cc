#include "engine/runtime/engine.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/planner/plan_builder.h"
#include "engine/runtime/plan.h"
#include "engine/runtime/plan_state.h"
#include "engine/runtime/table_write.h"

namespace pollux {

struct Engine::Impl {
  struct Deployed {
    std::unique_ptr<Plan> plan;
    DeployPayload made_from;
    bool suspended = false;
  };

  EngineOptions options;
  std::vector<Deployed> plans;
  int64_t now_ms = INT64_MIN;

  ApplyOutcome deploy(const DeployPayload& payload, EntryId cause, ResultSink& sink);
  /// Moves what is unchanged of a plan's state into the one that takes its place.
  RestoreReport hand_over(const Deployed& from, BuiltPlan& to, const DeployPayload& made_from);
  /// Fills the stored holders that are not kept: from the plan that is replaced, where it holds the
  /// same, else from the rows that came with the entry. Returns what is wrong.
  static std::string fill_stored(const Deployed* from, const Plan& to, const DeployPayload& payload,
                                 RestoreReport& report);
  ApplyOutcome undeploy(const UndeployPayload& payload, EntryId cause, ResultSink& sink);
  ApplyOutcome apply_events(const Entry& entry, const EventsPayload& events, ResultSink& sink);
  ApplyOutcome apply_tick(const Entry& entry, ResultSink& sink);
  ApplyOutcome apply_write(const Entry& entry, const WritePayload& payload, ResultSink& sink);
  /// Which plans take events of the stream, and where: those that define it, else those whose
  /// queries made it.
  std::vector<Junction*> inputs_of(std::string_view stream) const;

  Deployed* find(std::string_view name) {
    for (Deployed& deployed : plans) {
      if (deployed.plan->name() == name) return &deployed;
    }
    return nullptr;
  }
  /// Puts a new plan with the state in place of the one that is there, unless something is wrong
  /// with the state, or `judge` finds so in the report.
  template <class Judge>
  std::string restore(std::string_view name, std::string_view state, Judge&& judge);
  BuiltPlan build(const DeployPayload& payload) const {
    return build_plan(payload.text, payload.plan,
                      {options.is_result, options.observer, options.log, payload.dialect});
  }
  bool row_clock(const Plan& plan) const {
    return options.clock == ClockMode::kRow || plan.playback();
  }
  /// The clock of entries passes the plan by: only its events move its clock, and idle time.
  bool own_time(const Plan& plan) const {
    return options.clock == ClockMode::kEntry && plan.playback();
  }
  /// Runs `work` on a plan; a failed assertion in it suspends the plan, and no other.
  template <class F>
  static void guarded(Deployed& deployed, ApplyOutcome& outcome, F&& work) {
    try {
      work(*deployed.plan);
    } catch (const AssertionFailed& failure) {
      suspend(deployed, outcome, failure.what());
    }
  }
  static void suspend(Deployed& deployed, ApplyOutcome& outcome, std::string reason) {
    deployed.suspended = true;
    outcome.status = ApplyStatus::kSuspended;
    outcome.plan = deployed.plan->name();
    outcome.reason = std::move(reason);
  }
};

namespace {

ApplyOutcome rejected(std::string reason) {
  ApplyOutcome outcome;
  outcome.status = ApplyStatus::kRejected;
  outcome.reason = std::move(reason);
  return outcome;
}

}  // namespace

Engine::Engine(EngineOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}

Engine::~Engine() = default;

ApplyOutcome Engine::apply(const Entry& entry, ResultSink& sink) {
  impl_->now_ms = std::max(impl_->now_ms, entry.timestamp.ms);
  if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
    return impl_->apply_events(entry, *events, sink);
  }
  if (std::holds_alternative<TickPayload>(entry.payload)) return impl_->apply_tick(entry, sink);
  if (const auto* deploy = std::get_if<DeployPayload>(&entry.payload)) {
    return impl_->deploy(*deploy, entry.id, sink);
  }
  if (const auto* undeploy = std::get_if<UndeployPayload>(&entry.payload)) {
    return impl_->undeploy(*undeploy, entry.id, sink);
  }
  if (const auto* write = std::get_if<WritePayload>(&entry.payload)) {
    return impl_->apply_write(entry, *write, sink);
  }
  // A persist order and the begin of an epoch change nothing in the engine: states are cut by who
  // holds them.
  return {};
}

ApplyOutcome Engine::Impl::deploy(const DeployPayload& payload, EntryId cause, ResultSink& sink) {
  BuiltPlan built = build(payload);
  if (!built.plan) {
    ApplyOutcome outcome = rejected("the plan has errors");
    outcome.diagnostics = std::move(built.diagnostics);
    return outcome;
  }
  Deployed* there = find(built.plan->name());
  if (there != nullptr && !payload.replace) {
    return rejected("a plan named '" + built.plan->name() + "' is deployed already");
  }
  ApplyOutcome outcome;
  outcome.plan = built.plan->name();
  if (there != nullptr) outcome.handed_over = hand_over(*there, built, payload);
  std::string wrong = fill_stored(there, *built.plan, payload, outcome.handed_over);
  if (!wrong.empty()) return rejected(std::move(wrong));
  if (there == nullptr) there = &plans.emplace_back();
  *there = {std::move(built.plan), payload, false};
  Deployed& deployed = *there;
  deployed.made_from.stored.clear();
  if (row_clock(*deployed.plan)) return outcome;
  guarded(deployed, outcome, [&](Plan& plan) {
    plan.begin_entry(cause);
    plan.apply_tick(now_ms);
    plan.deliver(cause, sink);  // what triggers bring about at the start
  });
  return outcome;
}

RestoreReport Engine::Impl::hand_over(const Deployed& from, BuiltPlan& to,
                                      const DeployPayload& made_from) {
  RestoreReport report;
  std::string state = from.suspended ? std::string() : pollux::save_state(*from.plan);
  if (state.empty()) return report;
  std::string wrong;
  try {
    wrong = load_state(*to.plan, state, report);
  } catch (const AssertionFailed& failure) {
    wrong = failure.what();
  }
  if (wrong.empty()) return report;
  to = build(made_from);  // what was half loaded is not to be used
  report.dropped.insert(report.dropped.end(), report.kept.begin(), report.kept.end());
  report.fresh.insert(report.fresh.end(), report.kept.begin(), report.kept.end());
  report.kept.clear();
  return report;
}

namespace {

const StoredPart::Holder* find_holder(const Plan& plan, const std::string& stream) {
  for (const StoredPart& part : plan.stored()) {
    for (const StoredPart::Holder& holder : part.holders) {
      if (holder.description.stream == stream) return &holder;
    }
  }
  return nullptr;
}

/// What is wrong with the rows that came with a plan.
std::string check_stored(const Plan& plan, const std::vector<StoredRows>& stored) {
  std::set<std::string_view> seen;
  for (const StoredRows& rows : stored) {
    const StoredPart::Holder* holder = find_holder(plan, rows.stream);
    if (holder == nullptr) return "stored rows of '" + rows.stream + "', which the plan has not";
    if (!seen.insert(rows.stream).second) return "stored rows of '" + rows.stream + "' come twice";
    for (const EventBatchPtr& batch : rows.batches) {
      if (batch->schema().same_attributes(*holder->description.schema)) continue;
      return "the attributes of the stored rows of '" + rows.stream + "' are not the plan's";
    }
  }
  return {};
}

/// What the plan holds of the same content; null when it is nothing.
const StoredContent* find_content(const Plan* plan, const StoredHolder& wanted) {
  const auto* holder = plan != nullptr ? find_holder(*plan, wanted.stream) : nullptr;
  bool same = holder != nullptr && is_same_content(wanted, holder->description);
  return same ? holder->content.get() : nullptr;
}

std::string fill_holder(const StoredPart::Holder& holder, const std::vector<StoredRows>& stored) {
  for (const StoredRows& rows : stored) {
    if (rows.stream != holder.description.stream) continue;
    std::string wrong = holder.content->fill(rows.batches, rows.from_ms);
    if (!wrong.empty()) return "the stored rows of '" + rows.stream + "': " + wrong;
  }
  return {};
}

/// The unit begins afresh by its text, but goes on with what it held.
void tell_kept(const std::string& unit, RestoreReport& report) {
  std::erase(report.fresh, unit);
  std::erase(report.dropped, unit);
  report.kept.push_back(unit);
}

}  // namespace

std::string Engine::Impl::fill_stored(const Deployed* from, const Plan& to,
                                      const DeployPayload& payload, RestoreReport& report) {
  std::string wrong = check_stored(to, payload.stored);
  const Plan* plan = from != nullptr && !from->suspended ? from->plan.get() : nullptr;
  for (const StoredPart& part : to.stored()) {
    bool kept = std::find(report.kept.begin(), report.kept.end(), part.unit) != report.kept.end();
    if (kept) continue;
    bool all = true;
    for (const StoredPart::Holder& holder : part.holders) {
      if (!wrong.empty()) return wrong;
      const StoredContent* same = find_content(plan, holder.description);
      all = all && same != nullptr;
      wrong =
          same != nullptr ? holder.content->take_over(*same) : fill_holder(holder, payload.stored);
    }
    if (all) tell_kept(part.unit, report);
  }
  return wrong;
}

template <class Judge>
std::string Engine::Impl::restore(std::string_view name, std::string_view state, Judge&& judge) {
  Deployed* deployed = find(name);
  if (deployed == nullptr) return "no plan is named '" + std::string(name) + "'";
  BuiltPlan built = build(deployed->made_from);
  POLLUX_CHECK(built.plan != nullptr);
  RestoreReport report;
  std::string wrong;
  try {
    wrong = load_state(*built.plan, state, report);
  } catch (const AssertionFailed& failure) {
    wrong = failure.what();
  }
  if (wrong.empty()) wrong = judge(report);
  if (!wrong.empty()) return wrong;
  deployed->plan = std::move(built.plan);
  deployed->suspended = false;
  return {};
}

ApplyOutcome Engine::Impl::undeploy(const UndeployPayload& payload, EntryId cause,
                                    ResultSink& sink) {
  auto at = std::find_if(plans.begin(), plans.end(), [&](const Deployed& deployed) {
    return deployed.plan->name() == payload.plan;
  });
  if (at == plans.end()) return rejected("no plan is named '" + payload.plan + "'");
  ApplyOutcome outcome;
  if (!at->suspended) {
    guarded(*at, outcome, [&](Plan& plan) { plan.deliver_rest(cause, sink); });
  }
  plans.erase(at);
  return outcome;
}

std::vector<Junction*> Engine::Impl::inputs_of(std::string_view stream) const {
  std::vector<Junction*> inputs;
  for (const Deployed& deployed : plans) inputs.push_back(deployed.plan->input(stream));
  auto is_there = [](const Junction* input) { return input != nullptr; };
  if (std::any_of(inputs.begin(), inputs.end(), is_there)) return inputs;
  for (size_t p = 0; p < plans.size(); ++p) inputs[p] = plans[p].plan->inferred_input(stream);
  if (std::none_of(inputs.begin(), inputs.end(), is_there)) inputs.clear();
  return inputs;
}

ApplyOutcome Engine::Impl::apply_events(const Entry& entry, const EventsPayload& events,
                                        ResultSink& sink) {
  ApplyOutcome outcome;
  const EventBatchPtr& batch = events.batch;
  std::vector<Junction*> inputs = inputs_of(batch->schema().name());
  if (inputs.empty()) return rejected("no plan has the stream '" + batch->schema().name() + "'");
  for (size_t p = 0; p < plans.size(); ++p) {
    const Junction* input = inputs[p];
    if (input != nullptr && input->schema() != batch->schema_ptr() &&
        !input->schema()->same_attributes(batch->schema())) {
      return rejected("the attributes of the batch are not those of stream '" +
                      batch->schema().name() + "' in plan '" + plans[p].plan->name() + "'");
    }
  }
  for (size_t p = 0; p < plans.size(); ++p) {
    Deployed& deployed = plans[p];
    if (deployed.suspended) continue;
    if (inputs[p] != nullptr) {
      std::string wrong = deployed.plan->take_found(batch->schema().name(), events.found);
      if (!wrong.empty()) {
        suspend(deployed, outcome, std::move(wrong));
        continue;
      }
    }
    guarded(deployed, outcome, [&](Plan& plan) {
      plan.begin_entry(entry.id);
      if (own_time(plan)) plan.apply_idle_time(now_ms);
      if (inputs[p] != nullptr) {
        plan.apply_events(*inputs[p], *batch, row_clock(plan), now_ms);
      } else if (!row_clock(plan)) {
        plan.apply_tick(now_ms);
      }
      plan.deliver(entry.id, sink);
      plan.drop_found();
    });
  }
  return outcome;
}

ApplyOutcome Engine::Impl::apply_tick(const Entry& entry, ResultSink& sink) {
  ApplyOutcome outcome;
  for (Deployed& deployed : plans) {
    if (deployed.suspended) continue;
    guarded(deployed, outcome, [&](Plan& plan) {
      plan.begin_entry(entry.id);
      if (own_time(plan)) {
        plan.apply_idle_time(entry.timestamp.ms);
      } else {
        plan.apply_tick(entry.timestamp.ms);
      }
      plan.deliver(entry.id, sink);
    });
  }
  return outcome;
}

ApplyOutcome Engine::Impl::apply_write(const Entry& entry, const WritePayload& payload,
                                       ResultSink& sink) {
  Deployed* deployed = find(payload.plan);
  if (deployed == nullptr) return rejected("no plan is named '" + payload.plan + "'");
  if (deployed->suspended) return rejected("plan '" + payload.plan + "' is suspended");
  ApplyOutcome outcome;
  guarded(*deployed, outcome, [&](Plan& plan) {
    plan.begin_entry(entry.id);
    if (own_time(plan)) plan.apply_idle_time(now_ms);
    if (!row_clock(plan)) plan.apply_tick(now_ms);
    outcome.diagnostics = write_to_tables(plan, payload.text, entry.id, plan.context().now());
    plan.deliver(entry.id, sink);
  });
  if (!outcome.diagnostics.empty()) {
    outcome.status = ApplyStatus::kRejected;
    outcome.reason = "the query has errors";
  }
  return outcome;
}

Diagnostics Engine::validate(std::string_view text, Dialect dialect) {
  BuildOptions options;
  options.dialect = dialect;
  return build_plan(text, "plan", options).diagnostics;
}

std::optional<Timestamp> Engine::next_deadline() const {
  std::optional<Timestamp> next;
  for (const Impl::Deployed& deployed : impl_->plans) {
    const Plan& plan = *deployed.plan;
    auto deadline = impl_->own_time(plan) ? plan.idle_deadline() : plan.next_deadline();
    if (deadline && (!next || *deadline < next->ms)) next = Timestamp{*deadline};
  }
  return next;
}

std::optional<Timestamp> Engine::last_deadline() const {
  std::optional<Timestamp> last;
  for (const Impl::Deployed& deployed : impl_->plans) {
    const Plan& plan = *deployed.plan;
    auto deadline = impl_->own_time(plan) ? plan.idle_deadline() : plan.last_deadline();
    if (deadline && (!last || *deadline > last->ms)) last = Timestamp{*deadline};
  }
  return last;
}

std::vector<std::string> Engine::plans() const {
  std::vector<std::string> names;
  for (const Impl::Deployed& deployed : impl_->plans) names.push_back(deployed.plan->name());
  return names;
}

std::vector<StreamInfo> Engine::streams(std::string_view plan) const {
  Impl::Deployed* deployed = impl_->find(plan);
  return deployed == nullptr ? std::vector<StreamInfo>{} : deployed->plan->streams();
}

SchemaPtr Engine::input_schema(std::string_view stream) const {
  for (const Junction* input : impl_->inputs_of(stream)) {
    if (input != nullptr) return input->schema();
  }
  return nullptr;
}

std::vector<TableInfo> Engine::tables(std::string_view plan) const {
  Impl::Deployed* deployed = impl_->find(plan);
  return deployed == nullptr ? std::vector<TableInfo>{} : deployed->plan->tables();
}

bool Engine::read_table(std::string_view plan, std::string_view table, const TakeRows& take) const {
  Impl::Deployed* deployed = impl_->find(plan);
  if (deployed == nullptr || deployed->suspended) return false;
  return deployed->plan->read_rows(table, take);
}

bool Engine::can_be_asked(std::string_view plan, std::string_view name) const {
  Impl::Deployed* deployed = impl_->find(plan);
  if (deployed == nullptr) return false;
  std::vector<SchemaPtr> holders = deployed->plan->row_holders();
  return deployed->plan->find_aggregation(name) != nullptr ||
         std::any_of(holders.begin(), holders.end(),
                     [name](const SchemaPtr& schema) { return schema->name() == name; });
}

QueryAnswer Engine::query(std::string_view plan, std::string_view text,
                          OnDemandOptions options) const {
  QueryAnswer answer;
  Impl::Deployed* deployed = impl_->find(plan);
  if (deployed == nullptr) {
    answer.status = {QueryCode::kUnknownPlan, "no plan is named '" + std::string(plan) + "'"};
    return answer;
  }
  if (deployed->suspended) {
    answer.status = {QueryCode::kFailed, "plan '" + std::string(plan) + "' is suspended"};
    return answer;
  }
  const Plan& asked = *deployed->plan;
  std::vector<SchemaPtr> holders = asked.row_holders();
  StoreCatalogue catalogue;
  for (const auto& [name, aggregation] : asked.aggregations()) {
    holders.push_back(aggregation->schema());
    std::vector<CalendarUnit>& units = catalogue.aggregations[name];
    for (const AggregationPlan::Unit& unit : aggregation->units()) units.push_back(unit.unit);
  }
  for (const SchemaPtr& schema : holders) catalogue.names.push_back(schema->name());
  catalogue.schema_of = [&holders](std::string_view name) -> SchemaPtr {
    for (const SchemaPtr& schema : holders) {
      if (schema->name() == name) return schema;
    }
    return nullptr;
  };
  options.now = Timestamp{impl_->now_ms};
  options.scripts = deployed->plan->scripts();
  CompiledQuery compiled = compile_query(text, catalogue, options);
  if (!compiled.query) {
    answer.status = {QueryCode::kInvalid, "the query has errors"};
    answer.diagnostics = std::move(compiled.diagnostics);
    return answer;
  }
  OnDemandQuery& query = *compiled.query;
  auto take = [&](const EventBatchPtr& rows) {
    answer.status = query.take(*rows);
    return answer.status.ok() && query.wants_more();
  };
  if (auto unit = query.per()) {
    asked.read_aggregation(query.store(), *unit, query.time_range().value_or(TimeRange{}), take);
  } else {
    asked.read_rows(query.store(), take);
  }
  return answer.status.ok() ? query.finish() : answer;
}

std::optional<PlanDescription> Engine::describe(std::string_view plan) const {
  Impl::Deployed* deployed = impl_->find(plan);
  if (deployed == nullptr) return std::nullopt;
  PlanDescription description = deployed->plan->describe();
  description.suspended = deployed->suspended;
  return description;
}

std::string Engine::save_state(std::string_view plan) const {
  std::string state;
  save_state(plan, [&](std::string_view piece) { state += piece; });
  return state;
}

void Engine::save_state(std::string_view plan,
                        const std::function<void(std::string_view)>& take) const {
  Impl::Deployed* deployed = impl_->find(plan);
  if (deployed == nullptr || deployed->suspended) return;
  pollux::save_state(*deployed->plan, take);
}

std::string Engine::restore_state(std::string_view plan, std::string_view state) {
  return impl_->restore(plan, state, [](const RestoreReport& report) {
    if (!report.dropped.empty()) return "the plan has no " + report.dropped.front();
    if (!report.fresh.empty()) return "the state has no " + report.fresh.front();
    return std::string();
  });
}

std::string Engine::restore_state(std::string_view plan, std::string_view state,
                                  RestoreReport& report) {
  return impl_->restore(plan, state, [&report](RestoreReport& of_plan) {
    report = std::move(of_plan);
    return std::string();
  });
}

bool Engine::suspend(std::string_view plan) {
  Impl::Deployed* deployed = impl_->find(plan);
  if (deployed != nullptr) deployed->suspended = true;
  return deployed != nullptr;
}

size_t Engine::state_bytes(std::string_view plan) const {
  Impl::Deployed* deployed = impl_->find(plan);
  return deployed == nullptr ? 0 : deployed->plan->state_bytes();
}

size_t Engine::state_bytes() const {
  size_t bytes = 0;
  for (const Impl::Deployed& deployed : impl_->plans) bytes += deployed.plan->state_bytes();
  return bytes;
}

}  // namespace pollux
