// How a node comes back: plans from the states they had, and what the journal has behind them.
#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/node/node.h"

namespace pollux {
namespace {

absl::Status cannot_open_results(const DeployPayload& plan, const absl::Status& why) {
  return absl::UnavailableError(absl::StrCat("the results of plan '", plan.plan,
                                             "' cannot be opened: ", std::string(why.message())));
}

}  // namespace

NodeCut Node::order_persist(Sequencer::Committed committed) {
  NodeCut cut(no_producers());
  std::lock_guard lock(mutex_);
  Sequencer::Ordered ordered = sequencer_.persist(shards(), cut.senders, std::move(committed));
  cut.at = ordered.id;
  cut.timestamp = ordered.timestamp;
  cut.plans = catalogue();
  return cut;
}

/// The node behind all that was replayed before this entry.
NodeCut Node::cut_at(const Entry& entry) const {
  NodeCut cut(no_producers());
  cut.senders = sequencer_.senders(entry);
  cut.at = entry.id;
  cut.timestamp = entry.timestamp;
  std::lock_guard lock(mutex_);
  cut.plans = catalogue();
  return cut;
}

std::vector<CataloguePlan> Node::catalogue() const {
  std::vector<CataloguePlan> all;
  for (const auto& [name, plan] : plans_) {
    all.push_back({plan.payload, plan.info.entry, plan.info.deployed_ms});
  }
  return all;
}

void Node::begin_replay(Sequencer::Place place, SenderState senders) {
  sequencer_.begin_at(place, std::move(senders));
}

absl::Status Node::restore(const CataloguePlan& known, EntryId at, Timestamp timestamp,
                           std::string_view state, const std::string& suspended_because) {
  Tried tried = try_payload(known.deploy);
  if (tried.outcome.status != ApplyStatus::kApplied) {
    return absl::InvalidArgumentError(to_text(tried.outcome.diagnostics, known.deploy.plan));
  }
  std::lock_guard one_at_a_time(deploying_);
  Shard::OutputsPtr outputs;
  {
    std::lock_guard lock(mutex_);
    absl::StatusOr<Shard::OutputsPtr> opened = open_outputs(tried.streams);
    if (!opened.ok()) return cannot_open_results(known.deploy, opened.status());
    outputs = *opened;
    Plan& plan = put_plan(tried, known.deploy, *opened);
    DeployPayload payload = known.deploy;
    payload.replace = false;
    std::string wrong =
        plan.shard->restore({known.entry, timestamp, std::move(payload)}, *opened, at, state);
    if (!wrong.empty()) {
      plans_.erase(known.deploy.plan);
      return absl::FailedPreconditionError(wrong);
    }
    if (!suspended_because.empty()) plan.shard->suspend(suspended_because);
    plan.info.entry = known.entry;
    plan.info.deployed_ms = known.deployed_ms;
    sequencer_.route(plan.shard, inputs_of(tried.streams, tried.description));
  }
  tell_takers(tried, *outputs);
  return absl::OkStatus();
}

absl::Status Node::replay(const Entry& entry) {
  if (std::holds_alternative<DeployPayload>(entry.payload)) return replay_deploy(entry);
  if (std::holds_alternative<UndeployPayload>(entry.payload)) {
    replay_undeploy(entry);
    return absl::OkStatus();
  }
  std::vector<std::shared_ptr<Shard>> takers;
  if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
    takers = sequencer_.takers_of(events->batch->schema().name());
  } else if (const auto* write = std::get_if<WritePayload>(&entry.payload)) {
    if (auto shard = find_shard(write->plan)) takers = {std::move(shard)};
  } else if (std::holds_alternative<TickPayload>(entry.payload)) {
    std::lock_guard lock(mutex_);
    takers = shards();
  } else if (std::holds_alternative<PersistPayload>(entry.payload)) {
    if (options_.persist_ordered && options_.persist_ordered(cut_at(entry))) {
      std::lock_guard lock(mutex_);
      takers = shards();
    }
  }
  sequencer_.replay(entry, takers);
  return absl::OkStatus();
}

absl::Status Node::replay_deploy(const Entry& entry) {
  const auto& payload = std::get<DeployPayload>(entry.payload);
  auto there = find_shard(payload.plan);
  if (there != nullptr && entry.id.position <= there->restored_at()) {
    sequencer_.replay(entry, {});
    return absl::OkStatus();
  }
  DeployPayload text_alone = payload;
  text_alone.stored.clear();
  Tried tried = try_payload(text_alone);
  if (tried.outcome.status != ApplyStatus::kApplied) {
    sequencer_.replay(entry, {});
    return absl::InvalidArgumentError(to_text(tried.outcome.diagnostics, payload.plan));
  }
  std::lock_guard one_at_a_time(deploying_);
  Shard::OutputsPtr outputs;
  {
    std::lock_guard lock(mutex_);
    absl::StatusOr<Shard::OutputsPtr> opened = open_outputs(tried.streams);
    if (!opened.ok()) return cannot_open_results(payload, opened.status());
    outputs = *opened;
    Plan& plan = put_plan(tried, payload, outputs);
    plan.info.entry = entry.id;
    plan.info.deployed_ms = entry.timestamp.ms;
    sequencer_.route(plan.shard, inputs_of(tried.streams, tried.description));
    there = plan.shard;
  }
  tell_takers(tried, *outputs);
  sequencer_.replay(entry, {there}, std::move(outputs));
  return absl::OkStatus();
}

void Node::replay_undeploy(const Entry& entry) {
  const auto& payload = std::get<UndeployPayload>(entry.payload);
  auto there = find_shard(payload.plan);
  if (there == nullptr || entry.id.position <= there->restored_at()) {
    sequencer_.replay(entry, {});
    return;
  }
  std::lock_guard one_at_a_time(deploying_);
  sequencer_.replay(entry, {there});
  sequencer_.route(there, {});
  {
    std::lock_guard lock(mutex_);
    remove_plan(payload.plan);
  }
  for (const Observer& each : observers_) {
    if (!each.brings_events) each.observer->undeployed(payload.plan);
  }
}

void Node::end_replay() {
  std::lock_guard one_at_a_time(deploying_);
  wait_until_applied();
  std::vector<std::pair<PlanDescription, std::vector<StreamInfo>>> there;
  {
    std::lock_guard lock(mutex_);
    replaying_ = false;
    for (const auto& [name, plan] : plans_) {
      plan.shard->let_rest();
      there.emplace_back(plan.description, plan.info.streams);
    }
  }
  if (leads()) {
    for (const auto& [description, streams] : there) tell_bringers(description, streams);
  }
  for (const auto& [stream, log] : results()) log->forget_unclaimed();
  ticker_ = std::thread([this] { run_ticks(); });
}

/// All that was replayed.
void Node::wait_until_applied() {
  std::vector<std::future<void>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& shard : shards()) {
      auto applied = std::make_shared<std::promise<void>>();
      all.push_back(applied->get_future());
      shard->post([applied](Engine&) { applied->set_value(); });
    }
  }
  for (const std::future<void>& applied : all) applied.wait();
}

}  // namespace pollux
