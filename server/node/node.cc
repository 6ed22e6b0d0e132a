#include "server/node/node.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

size_t threads_of(const NodeOptions& options) {
  if (options.workers != 0) return options.workers;
  return std::max(1U, std::thread::hardware_concurrency());
}

struct NoResults : ResultSink {
  void on_result(const ResultBatch&) override {}
};

absl::Status no_such_plan(std::string_view plan) {
  return absl::NotFoundError(absl::StrCat("no plan is named '", std::string(plan), "'"));
}

}  // namespace

Node::Node(NodeOptions options, OnSuspended on_suspended)
    : options_(std::move(options)),
      on_suspended_(std::move(on_suspended)),
      workers_(threads_of(options_)),
      sequencer_(options_.epoch, wall_clock_ms,
                 ProducerTable(options_.forget_producers_after_ms, options_.producers_max)),
      ticker_([this] { run_ticks(); }) {}

Node::~Node() { stop(); }

/// A stream means the same in all plans: its attributes must be equal. Empty when they are.
std::string Node::conflict_of(const std::vector<StreamInfo>& streams,
                              const std::string& plan) const {
  for (const auto& [name, other] : plans_) {
    if (name == plan) continue;
    for (const StreamInfo& theirs : other.info.streams) {
      for (const StreamInfo& ours : streams) {
        bool shared = (ours.input && theirs.input) || (ours.output && theirs.output);
        if (!shared || ours.schema->name() != theirs.schema->name() ||
            ours.schema->same_attributes(*theirs.schema)) {
          continue;
        }
        return absl::StrCat("stream '", ours.schema->name(), "' has other attributes in plan '",
                            name, "'");
      }
    }
  }
  return {};
}

std::shared_ptr<Shard> Node::make_shard(const std::string& plan,
                                        const std::vector<StreamInfo>& streams) {
  Shard::Logs logs;
  for (const StreamInfo& stream : streams) {
    if (!stream.output) continue;
    const std::string& name = stream.schema->name();
    auto log = logs_.find(name);
    bool fits = log != logs_.end() && log->second->schema()->same_attributes(*stream.schema);
    if (!fits) {
      auto made = std::make_shared<ResultLog>(stream.schema, options_.result_log_bytes_max);
      log = logs_.insert_or_assign(name, std::move(made)).first;
    }
    logs.emplace(name, log->second);
  }
  Shard::Callbacks callbacks;
  callbacks.room = [this] { sequencer_.room_made(); };
  callbacks.deadline = [this] { wake_ticker(); };
  callbacks.suspended = [this](const ApplyOutcome& outcome) {
    note_suspended(outcome.plan, outcome.reason);
  };
  callbacks.log = options_.plan_log;
  return std::make_shared<Shard>(plan, options_.shard, std::move(logs), workers_,
                                 std::move(callbacks));
}

void Node::note_suspended(const std::string& plan, const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    suspended_because_.insert_or_assign(plan, reason);
  }
  if (on_suspended_) on_suspended_(plan, reason);
}

DeployPayload Node::payload_of(const DeployRequest& request, const std::string& text) const {
  return {.plan = request.name, .text = text, .dialect = options_.dialect};
}

Node::Tried Node::try_plan(const DeployRequest& request) const {
  Tried tried;
  PlanParameters parameters = request.parameters;
  parameters.insert(options_.parameters.begin(), options_.parameters.end());
  FilledText filled(request.text, parameters);
  if (!filled.errors().empty()) {
    tried.outcome.status = ApplyStatus::kRejected;
    tried.outcome.reason = "parameters are missing";
    tried.outcome.diagnostics = filled.errors();
    return tried;
  }
  tried.text = filled.text();
  Engine trial;
  NoResults nowhere;
  tried.outcome =
      trial.apply({{options_.epoch, {1}}, {0}, payload_of(request, tried.text)}, nowhere);
  if (tried.outcome.status != ApplyStatus::kApplied) {
    filled.to_original(tried.outcome.diagnostics);
    return tried;
  }
  tried.streams = trial.streams(tried.outcome.plan);
  tried.description = trial.describe(tried.outcome.plan).value_or(PlanDescription{});
  for (const PlanObserver* observer : observers_) {
    Diagnostics wrong = observer->check({tried.description, tried.streams});
    std::move(wrong.begin(), wrong.end(), std::back_inserter(tried.outcome.diagnostics));
  }
  filled.to_original(tried.outcome.diagnostics);
  return tried;
}

Deployed Node::judge(Tried& tried) {
  Deployed judged;
  judged.plan = tried.outcome.plan;
  if (tried.outcome.status != ApplyStatus::kApplied || !tried.outcome.diagnostics.empty()) {
    judged.outcome = Deployed::Outcome::kErrors;
    judged.diagnostics = std::move(tried.outcome.diagnostics);
    judged.reason = std::move(tried.outcome.reason);
  }
  return judged;
}

Deployed Node::check(const DeployRequest& request) const {
  Tried tried = try_plan(request);
  return judge(tried);
}

std::map<std::string, PlanOutput> Node::outputs_of(const Shard& shard) {
  std::map<std::string, PlanOutput> outputs;
  for (const auto& [stream, log] : shard.logs()) {
    uint64_t end = log->end();
    outputs[stream] = {log, log->hold(end), end};
  }
  return outputs;
}

Deployed Node::deploy(const DeployRequest& request) {
  Tried tried = try_plan(request);
  Deployed deployed = judge(tried);
  if (deployed.outcome != Deployed::Outcome::kDeployed) return deployed;

  std::lock_guard one_at_a_time(deploying_);
  std::map<std::string, PlanOutput> outputs;  // none of their rows is written before deploy()
  {
    std::lock_guard lock(mutex_);
    auto known = plans_.find(deployed.plan);
    if (stopping_) {
      deployed.outcome = Deployed::Outcome::kStopping;
      deployed.reason = "the node is stopping";
    } else if (known != plans_.end() && !request.replace) {
      deployed.outcome = Deployed::Outcome::kExists;
      deployed.reason = absl::StrCat("a plan named '", deployed.plan, "' is deployed already");
    } else if (std::string conflict = conflict_of(tried.streams, deployed.plan);
               !conflict.empty()) {
      deployed.outcome = Deployed::Outcome::kConflict;
      deployed.reason = std::move(conflict);
    }
    if (deployed.outcome != Deployed::Outcome::kDeployed) return deployed;

    std::vector<SchemaPtr> inputs;
    for (const StreamInfo& stream : tried.streams) {
      if (stream.input) inputs.push_back(stream.schema);
    }
    Plan plan;
    plan.shard = make_shard(deployed.plan, tried.streams);
    if (!observers_.empty()) outputs = outputs_of(*plan.shard);
    std::shared_ptr<Shard> replaced = known == plans_.end() ? nullptr : known->second.shard;
    deployed.replaced = replaced != nullptr;
    deployed.entry =
        sequencer_.deploy(plan.shard, payload_of(request, tried.text), inputs, replaced);
    plan.info.name = deployed.plan;
    plan.info.text = request.text;
    plan.info.origin = request.origin;
    plan.info.deployed_ms = wall_clock_ms();
    plan.info.entry = deployed.entry;
    plan.info.streams = tried.streams;
    plans_.insert_or_assign(deployed.plan, std::move(plan));
    suspended_because_.erase(deployed.plan);
    drop_unused_logs();
  }
  // Each observer has holds of its own.
  for (PlanObserver* observer : observers_) {
    std::map<std::string, PlanOutput> theirs;
    for (const auto& [stream, output] : outputs) {
      theirs[stream] = {output.log, output.log->hold(output.from), output.from};
    }
    observer->deployed({tried.description, tried.streams}, std::move(theirs));
  }
  return deployed;
}

absl::Status Node::undeploy(std::string_view name, bool force) {
  std::lock_guard one_at_a_time(deploying_);
  Dependents dependents;
  PlanInfo info;
  {
    std::lock_guard lock(mutex_);
    auto plan = plans_.find(name);
    if (plan == plans_.end()) {
      return absl::NotFoundError(absl::StrCat("no plan is named '", std::string(name), "'"));
    }
    info = plan->second.info;
    dependents = dependents_;
  }
  if (!force && dependents) {
    std::vector<std::string> who = dependents(info);
    if (!who.empty()) {
      absl::Status needed = absl::FailedPreconditionError(
          absl::StrCat("plan '", info.name, "' is needed: ", absl::StrJoin(who, "; ")));
      needed.SetPayload(kNeededBy, absl::Cord(absl::StrJoin(who, "\n")));
      return needed;
    }
  }
  {
    std::lock_guard lock(mutex_);
    auto plan = plans_.find(name);
    sequencer_.undeploy(plan->second.shard);
    plans_.erase(plan);
    suspended_because_.erase(info.name);
    drop_unused_logs();
  }
  for (PlanObserver* observer : observers_) observer->undeployed(info.name);
  return absl::OkStatus();
}

void Node::add_observer(PlanObserver& observer) {
  std::lock_guard one_at_a_time(deploying_);
  observers_.push_back(&observer);
}

void Node::set_dependents(Dependents dependents) {
  std::lock_guard lock(mutex_);
  dependents_ = std::move(dependents);
}

/// Readers keep the log that they have; nobody new finds it.
void Node::drop_unused_logs() {
  std::erase_if(logs_, [&](const auto& log) {
    return std::none_of(plans_.begin(), plans_.end(), [&](const auto& plan) {
      return plan.second.shard->logs().contains(log.first);
    });
  });
}

PlanInfo Node::info_of(const Plan& plan) const {
  PlanInfo info = plan.info;
  info.counts = plan.shard->counts();
  auto because = suspended_because_.find(info.name);
  if (because != suspended_because_.end()) info.suspended_because = because->second;
  return info;
}

std::vector<PlanInfo> Node::plans() const {
  std::lock_guard lock(mutex_);
  std::vector<PlanInfo> infos;
  for (const auto& [name, plan] : plans_) infos.push_back(info_of(plan));
  return infos;
}

std::optional<PlanInfo> Node::plan(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto plan = plans_.find(name);
  if (plan == plans_.end()) return std::nullopt;
  return info_of(plan->second);
}

namespace {

/// Waits until something is done by a shard, or dropped because the shard closes.
class Waiter {
 public:
  /// To be held by whoever is to do it; all copies gone means dropped.
  static std::shared_ptr<void> ticket(const std::shared_ptr<Waiter>& waiter) {
    return {nullptr, [waiter](void*) {
              std::lock_guard lock(waiter->mutex_);
              waiter->dropped_ = true;
              waiter->changed_.notify_all();
            }};
  }
  void note_done() {
    std::lock_guard lock(mutex_);
    done_ = true;
  }
  absl::Status wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return dropped_; });
    return done_ ? absl::OkStatus() : absl::UnavailableError("the node is stopping");
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  bool dropped_ = false;
};

}  // namespace

std::shared_ptr<Shard> Node::find_shard(std::string_view plan) const {
  std::lock_guard lock(mutex_);
  auto found = plans_.find(plan);
  return found == plans_.end() ? nullptr : found->second.shard;
}

absl::Status Node::with_engine(std::string_view plan, std::function<void(Engine&)> work) const {
  std::shared_ptr<Shard> shard = find_shard(plan);
  if (shard == nullptr) return no_such_plan(plan);
  auto waiter = std::make_shared<Waiter>();
  auto ticket = Waiter::ticket(waiter);
  bool posted = shard->post([waiter, work = std::move(work), ticket](Engine& engine) {
    work(engine);
    waiter->note_done();
  });
  ticket.reset();
  if (!posted) {
    return absl::ResourceExhaustedError(
        absl::StrCat("too many questions wait for plan '", shard->plan(), "'; try again"));
  }
  return waiter->wait();
}

absl::StatusOr<ApplyOutcome> Node::write(std::string_view plan, std::string text) {
  std::shared_ptr<Shard> shard = find_shard(plan);
  if (shard == nullptr) return no_such_plan(plan);
  auto waiter = std::make_shared<Waiter>();
  auto ticket = Waiter::ticket(waiter);
  auto outcome = std::make_shared<ApplyOutcome>();
  auto applied = [waiter, outcome, ticket](const ApplyOutcome& what) {
    *outcome = what;
    waiter->note_done();
  };
  ticket.reset();
  absl::Status taken =
      sequencer_.write(*shard, {shard->plan(), std::move(text)}, std::move(applied));
  if (!taken.ok()) return taken;
  if (absl::Status done = waiter->wait(); !done.ok()) return done;
  return std::move(*outcome);
}

std::shared_ptr<ResultLog> Node::find_results(std::string_view stream) const {
  std::lock_guard lock(mutex_);
  auto log = logs_.find(stream);
  return log == logs_.end() ? nullptr : log->second;
}

std::map<std::string, std::shared_ptr<ResultLog>, std::less<>> Node::results() const {
  std::lock_guard lock(mutex_);
  return logs_;
}

void Node::wake_ticker() {
  {
    std::lock_guard lock(tick_mutex_);
    deadlines_changed_ = true;
  }
  tick_wanted_.notify_one();
}

/// Writes a tick whenever a deadline of a plan is due.
void Node::run_ticks() {
  while (true) {
    int64_t next_ms = INT64_MAX;
    {
      std::lock_guard lock(mutex_);
      int64_t now = wall_clock_ms();
      for (auto& [name, plan] : plans_) {
        if (plan.shard->tick_waits()) continue;
        int64_t deadline = plan.shard->next_deadline_ms();
        if (deadline <= now) {
          sequencer_.tick(*plan.shard);
        } else {
          next_ms = std::min(next_ms, deadline);
        }
      }
    }
    std::unique_lock lock(tick_mutex_);
    auto wanted = [this] { return deadlines_changed_ || ticker_stops_; };
    if (next_ms == INT64_MAX) {
      tick_wanted_.wait(lock, wanted);
    } else {
      std::chrono::system_clock::time_point when{std::chrono::milliseconds(next_ms)};
      tick_wanted_.wait_until(lock, when, wanted);
    }
    if (ticker_stops_) return;
    deadlines_changed_ = false;
  }
}

bool Node::drain(std::chrono::milliseconds at_most) {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  sequencer_.stop();
  struct Drained {
    std::mutex mutex;
    std::condition_variable changed;
    size_t left = 0;
  };
  auto drained = std::make_shared<Drained>();
  {
    std::lock_guard lock(mutex_);
    drained->left = plans_.size();
    for (auto& [name, plan] : plans_) {
      // Behind all entries; a shard that cannot take it has work enough to be late.
      plan.shard->post([drained](Engine&) {
        std::lock_guard counted(drained->mutex);
        --drained->left;
        drained->changed.notify_all();
      });
    }
  }
  std::unique_lock lock(drained->mutex);
  return drained->changed.wait_for(lock, at_most, [&] { return drained->left == 0; });
}

void Node::stop() {
  {
    std::lock_guard lock(tick_mutex_);
    ticker_stops_ = true;
  }
  tick_wanted_.notify_one();
  if (ticker_.joinable()) ticker_.join();
  sequencer_.stop();
  workers_.stop();
  std::lock_guard lock(mutex_);
  stopping_ = true;
  for (auto& [name, plan] : plans_) plan.shard->close();
}

}  // namespace pollux
