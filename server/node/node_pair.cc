// How a node of a pair begins to lead, and to follow.
#include <algorithm>
#include <utility>

#include "server/node/node.h"

namespace pollux {

bool Node::leads() const {
  std::lock_guard lock(mutex_);
  return leads_;
}

absl::Status Node::lets_out() const {
  return leads() ? absl::OkStatus()
                 : absl::UnavailableError(
                       "this node does not lead, and lets no results out; ask the other one");
}

/// Before a plan is put or removed: as it is now.
uint64_t Node::note_unsettled(const std::string& plan) {
  if (!options_.shared) return 0;
  auto there = plans_.find(plan);
  std::optional<Plan> before;
  if (there != plans_.end()) before = there->second;
  unsettled_.push_back({++last_unsettled_, plan, std::move(before)});
  return last_unsettled_;
}

void Node::settle(uint64_t number) {
  if (!options_.shared) return;
  std::lock_guard lock(mutex_);
  std::erase_if(unsettled_, [&](const Unsettled& change) { return change.number == number; });
}

void Node::lead(Epoch epoch, Sequencer::Place place) {
  std::lock_guard one_at_a_time(deploying_);
  sequencer_.open(epoch, place);
  std::vector<std::pair<PlanDescription, std::vector<StreamInfo>>> there;
  {
    std::lock_guard lock(mutex_);
    leads_ = true;
    for (const auto& [name, plan] : plans_) {
      there.emplace_back(plan.description, plan.info.streams);
    }
  }
  for (const auto& [description, streams] : there) tell_bringers(description, streams);
  wake_ticker();
}

void Node::follow() {
  std::lock_guard one_at_a_time(deploying_);
  std::vector<Unsettled> changes;
  std::vector<std::string> there;
  {
    std::lock_guard lock(mutex_);
    leads_ = false;
    for (const auto& [name, plan] : plans_) there.push_back(name);
    changes = std::exchange(unsettled_, {});
  }
  for (const Observer& each : observers_) {
    if (!each.brings_events) continue;
    for (const std::string& plan : there) each.observer->undeployed(plan);
  }
  for (const auto& [stream, log] : results()) log->tell_listeners();  // nothing is let out any more
  std::reverse(changes.begin(), changes.end());
  for (const Unsettled& change : changes) take_back(change);
}

void Node::take_back(const Unsettled& change) {
  {
    std::lock_guard lock(mutex_);
    auto now = plans_.find(change.plan);
    if (change.before) {
      Plan& plan = plans_[change.plan];
      plan = *change.before;
      for (const auto& [stream, log] : plan.outputs->logs) logs_.insert_or_assign(stream, log);
      sequencer_.route(plan.shard, inputs_of(plan.info.streams, plan.description));
    } else if (now != plans_.end()) {
      sequencer_.route(now->second.shard, {});
      plans_.erase(now);
    }
    drop_unused_logs();
  }
  for (const Observer& each : observers_) {
    if (each.brings_events) continue;
    if (change.before) {
      each.observer->deployed({change.before->description, change.before->info.streams},
                              places_in(*change.before->outputs));
    } else {
      each.observer->undeployed(change.plan);
    }
  }
}

bool Node::may_come(std::string_view id) const {
  const std::optional<ResultId> parsed = parse_result_id(id);
  if (!parsed) return false;
  const Position cause = parsed->row.cause.position;
  return cause <= sequencer_.handed() && cause > applied();
}

Position Node::applied() const {
  // What is pushed later stands behind it.
  Position reached = sequencer_.handed();
  std::vector<std::shared_ptr<Shard>> at_work;
  {
    std::lock_guard lock(mutex_);
    at_work = shards();
    for (const auto& [name, leaving] : leaving_) {
      if (auto shard = leaving.lock()) at_work.push_back(std::move(shard));
    }
  }
  for (const auto& shard : at_work) {
    auto oldest = shard->oldest_unapplied();
    if (oldest && *oldest <= reached) reached = {oldest->value - 1};
  }
  return reached;
}

}  // namespace pollux
