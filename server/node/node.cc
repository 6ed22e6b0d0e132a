#include "server/node/node.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/no_results.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

size_t threads_of(const NodeOptions& options) {
  if (options.workers != 0) return options.workers;
  return std::max(1U, std::thread::hardware_concurrency());
}

/// How long a deploy waits to say what a plan kept of the one it replaced.
constexpr std::chrono::seconds kHandOverPatience{10};

constexpr const char* kStarts = "this node has just started, and does not lead";
constexpr const char* kFollows =
    "this node does not lead; send it to the one that does, which /v1/node names";

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
      lookups_(sequencer_, options_.lookups),
      leads_(!options_.shared),
      replaying_(options_.replays) {
  sequencer_.set_log(options_.log);
  sequencer_.set_identities(options_.identities);
  if (options_.shared) sequencer_.share(absl::UnavailableError(kStarts));
  sequencer_.set_on_room([this] { lookups_.room_made(); });
  sequencer_.set_on_journal_full(options_.journal_full);
  if (!options_.replays) ticker_ = std::thread([this] { run_ticks(); });
}

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

/// The logs of the plan's outputs, made or opened where they are not there.
absl::StatusOr<Shard::OutputsPtr> Node::open_outputs(const std::vector<StreamInfo>& streams) {
  Shard::Logs logs;
  for (const StreamInfo& stream : streams) {
    if (!stream.output) continue;
    const std::string& name = stream.schema->name();
    auto log = logs_.find(name);
    bool fits = log != logs_.end() && log->second->schema()->same_attributes(*stream.schema);
    if (!fits) {
      absl::StatusOr<std::shared_ptr<ResultLog>> made =
          options_.open_log
              ? options_.open_log(stream.schema)
              : std::make_shared<ResultLog>(stream.schema, options_.result_log_bytes_max);
      if (!made.ok()) return made.status();
      log = logs_.insert_or_assign(name, *std::move(made)).first;
    }
    logs.emplace(name, log->second);
  }
  return std::make_shared<const Shard::Outputs>(std::move(logs));
}

std::shared_ptr<Shard> Node::make_shard(const std::string& plan) {
  Shard::Callbacks callbacks;
  callbacks.room = [this] { sequencer_.room_made(); };
  callbacks.deadline = [this] { wake_ticker(); };
  callbacks.suspended = [this](const ApplyOutcome& outcome) {
    if (on_suspended_) on_suspended_(outcome.plan, outcome.reason);
  };
  callbacks.persist = options_.persist;
  callbacks.results_hashed = options_.results_hashed;
  callbacks.log = options_.plan_log;
  callbacks.marks = options_.marks;
  return std::make_shared<Shard>(plan, options_.shard, workers_, std::move(callbacks));
}

/// Where a plan of that name has gone but is not through with its entries, its shard goes on with
/// the new one behind them: two would bring their results in no order.
std::shared_ptr<Shard> Node::shard_for(const std::string& plan) {
  auto leaving = leaving_.find(plan);
  std::shared_ptr<Shard> shard = leaving == leaving_.end() ? nullptr : leaving->second.lock();
  if (shard == nullptr) shard = make_shard(plan);
  if (!replaying_) shard->let_rest();
  return shard;
}

void Node::remove_plan(std::string_view name) {
  auto plan = plans_.find(name);
  std::erase_if(leaving_, [](const auto& shard) { return shard.second.expired(); });
  leaving_[plan->first] = plan->second.shard;
  plans_.erase(plan);
  drop_unused_logs();
}

PlanInputs Node::inputs_of(const std::vector<StreamInfo>& streams, const PlanDescription& plan) {
  PlanInputs inputs;
  for (const StreamInfo& stream : streams) {
    if (stream.input) inputs.streams.push_back(stream.schema);
  }
  inputs.external = plan.external;
  return inputs;
}

DeployPayload Node::payload_of(const DeployRequest& request, const std::string& text) const {
  DeployPayload payload{.plan = request.name, .text = text, .dialect = options_.dialect};
  if (request.text != text) payload.source = request.text;
  payload.origin = request.origin;
  return payload;
}

Node::Tried Node::try_payload(const DeployPayload& payload) const {
  Tried tried;
  tried.text = payload.text;
  Engine trial;
  NoResults nowhere;
  tried.outcome = trial.apply({{options_.epoch, {1}}, {0}, payload}, nowhere);
  if (tried.outcome.status != ApplyStatus::kApplied) return tried;
  tried.streams = trial.streams(tried.outcome.plan);
  tried.description = trial.describe(tried.outcome.plan).value_or(PlanDescription{});
  return tried;
}

Node::Tried Node::try_plan(const DeployRequest& request) const {
  PlanParameters parameters = request.parameters;
  parameters.insert(options_.parameters.begin(), options_.parameters.end());
  FilledText filled(request.text, parameters);
  if (!filled.errors().empty()) {
    Tried tried;
    tried.outcome.status = ApplyStatus::kRejected;
    tried.outcome.reason = "parameters are missing";
    tried.outcome.diagnostics = filled.errors();
    return tried;
  }
  Tried tried = try_payload(payload_of(request, filled.text()));
  if (tried.outcome.status == ApplyStatus::kApplied) {
    for (const Observer& each : observers_) {
      Diagnostics wrong = each.observer->check({tried.description, tried.streams});
      std::move(wrong.begin(), wrong.end(), std::back_inserter(tried.outcome.diagnostics));
    }
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

std::map<std::string, PlanOutput> Node::places_in(const Shard::Outputs& of_plan) {
  std::map<std::string, PlanOutput> outputs;
  for (const auto& [stream, log] : of_plan.logs) {
    uint64_t end = log->end();
    outputs[stream] = {log, log->hold(end), end};
  }
  return outputs;
}

/// The plan in the catalogue, in the place of one of its name; its entry is still to come.
Node::Plan& Node::put_plan(const Tried& tried, DeployPayload payload, Shard::OutputsPtr outputs) {
  payload.plan = tried.outcome.plan;
  payload.stored.clear();  // the entry's alone: they were true then
  Plan& plan = plans_[payload.plan];
  if (plan.shard == nullptr) plan.shard = shard_for(payload.plan);
  plan.info.name = payload.plan;
  plan.info.text = payload.source.empty() ? payload.text : payload.source;
  plan.info.origin = payload.origin;
  plan.info.streams = tried.streams;
  plan.description = tried.description;
  plan.payload = std::move(payload);
  plan.outputs = std::move(outputs);
  drop_unused_logs();
  return plan;
}

/// Who takes results, before there are any: a place in a log is kept for what it has seen none of.
void Node::tell_takers(const Tried& tried, const Shard::Outputs& outputs) {
  for (const Observer& each : observers_) {
    if (each.brings_events) continue;
    each.observer->deployed({tried.description, tried.streams}, places_in(outputs));
  }
}

void Node::tell_bringers(const PlanDescription& description,
                         const std::vector<StreamInfo>& streams) {
  for (const Observer& each : observers_) {
    if (each.brings_events) each.observer->deployed({description, streams}, {});
  }
}

/// Whether that very plan is deployed and at work; `deployed` then says so.
bool Node::is_there(const DeployPayload& payload, Deployed& deployed) const {
  const Plan& plan = plans_.find(deployed.plan)->second;
  const DeployPayload& there = plan.payload;
  bool same = there.text == payload.text && there.source == payload.source &&
              there.origin == payload.origin && there.dialect == payload.dialect;
  if (!same || !plan.shard->suspended_because().empty()) return false;
  deployed.entry = plan.info.entry;
  deployed.unchanged = true;
  return true;
}

absl::StatusOr<std::vector<StoredRows>> Node::stored_rows_of(const PlanDescription& plan) const {
  std::vector<StoredRows> all;
  if (!options_.stored_rows || plan.stored.empty()) return all;
  std::optional<PlanDescription> replaced;
  {
    std::lock_guard lock(mutex_);
    auto there = plans_.find(plan.name);
    if (there != plans_.end() && there->second.shard->suspended_because().empty()) {
      replaced = there->second.description;
    }
  }
  for (const StoredHolder& holder : holders_to_fill(plan, replaced ? &*replaced : nullptr)) {
    auto rows = options_.stored_rows(holder);
    if (!rows.ok()) {
      return absl::Status(rows.status().code(),
                          absl::StrCat("what plan '", plan.name,
                                       "' begins with: ", std::string(rows.status().message())));
    }
    if (!rows->batches.empty() || rows->from_ms != INT64_MIN) all.push_back(*std::move(rows));
  }
  return all;
}

/// False, with what is wrong, when an external table cannot be looked up as the plan has it.
bool Node::check_external(const PlanDescription& plan, Deployed& deployed) const {
  if (!options_.check_external) return true;
  for (const ExternalTable& table : plan.external) {
    const absl::Status there = options_.check_external(table.holder);
    if (there.ok()) continue;
    std::string text =
        absl::StrCat("external table '", table.holder.name, "': ", std::string(there.message()));
    if (absl::IsUnavailable(there)) {
      deployed.outcome = Deployed::Outcome::kUnavailable;
    } else {
      deployed.outcome = Deployed::Outcome::kErrors;
      deployed.diagnostics.push_back({table.holder.location, text, {}, {}});
    }
    deployed.reason = std::move(text);
    return false;
  }
  return true;
}

Deployed Node::deploy(const DeployRequest& request) {
  Tried tried = try_plan(request);
  Deployed deployed = judge(tried);
  if (deployed.outcome != Deployed::Outcome::kDeployed) return deployed;

  std::lock_guard one_at_a_time(deploying_);
  Shard::OutputsPtr outputs;
  auto committed = std::make_shared<std::promise<absl::Status>>();
  auto applied = std::make_shared<std::promise<ApplyOutcome>>();
  auto refuse = [&deployed](Deployed::Outcome outcome, std::string reason) {
    deployed.outcome = outcome;
    deployed.reason = std::move(reason);
    return deployed;
  };
  {
    std::lock_guard lock(mutex_);
    if (!leads_) return refuse(Deployed::Outcome::kUnavailable, kFollows);
    deployed.replaced = plans_.contains(deployed.plan);
    if (stopping_) return refuse(Deployed::Outcome::kStopping, "the node is stopping");
    if (deployed.replaced && !request.replace) {
      return refuse(Deployed::Outcome::kExists,
                    absl::StrCat("a plan named '", deployed.plan, "' is deployed already"));
    }
    if (deployed.replaced && is_there(payload_of(request, tried.text), deployed)) return deployed;
    std::string conflict = conflict_of(tried.streams, deployed.plan);
    if (!conflict.empty()) return refuse(Deployed::Outcome::kConflict, std::move(conflict));
    absl::StatusOr<Shard::OutputsPtr> opened = open_outputs(tried.streams);
    if (!opened.ok()) {
      return refuse(Deployed::Outcome::kUnavailable, std::string(opened.status().message()));
    }

    outputs = *std::move(opened);
  }
  if (!check_external(tried.description, deployed)) return deployed;
  auto stored = stored_rows_of(tried.description);
  if (!stored.ok()) {
    return refuse(Deployed::Outcome::kUnavailable, std::string(stored.status().message()));
  }
  tell_takers(tried, *outputs);
  {
    std::lock_guard lock(mutex_);
    DeployPayload payload = payload_of(request, tried.text);
    payload.replace = deployed.replaced;
    uint64_t change = note_unsettled(deployed.plan);
    Plan& plan = put_plan(tried, payload, outputs);
    payload.plan = plan.payload.plan;
    payload.stored = *std::move(stored);
    Sequencer::Ordered ordered = sequencer_.deploy(
        plan.shard, std::move(payload), outputs, inputs_of(tried.streams, tried.description),
        [applied](const ApplyOutcome& outcome) { applied->set_value(outcome); },
        [this, committed, change](const absl::Status& status) {
          if (status.ok()) settle(change);
          committed->set_value(status);
        });
    plan.info.entry = deployed.entry = ordered.id;
    plan.info.deployed_ms = ordered.timestamp.ms;
  }
  absl::Status lasts = committed->get_future().get();
  if (!lasts.ok()) {
    return refuse(Deployed::Outcome::kUnavailable, std::string(lasts.message()));
  }
  tell_bringers(tried.description, tried.streams);
  if (deployed.replaced) {
    std::future<ApplyOutcome> outcome = applied->get_future();
    applied.reset();  // a shard that closes lets go of it too
    if (outcome.wait_for(kHandOverPatience) == std::future_status::ready) {
      try {
        deployed.handed_over = outcome.get().handed_over;
      } catch (const std::future_error&) {  // the shard has closed: the node stops
        deployed.handed_over.reset();
      }
    }
  }
  return deployed;
}

absl::Status Node::undeploy(std::string_view name, bool force) {
  auto committed = std::make_shared<std::promise<absl::Status>>();
  auto applied = std::make_shared<std::promise<void>>();
  std::future<void> is_applied = applied->get_future();
  std::lock_guard one_at_a_time(deploying_);
  Dependents dependents;
  PlanInfo info;
  {
    std::lock_guard lock(mutex_);
    if (!leads_) return absl::UnavailableError(kFollows);
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
    uint64_t change = note_unsettled(plan->first);
    sequencer_.undeploy(
        plan->second.shard, [applied](const ApplyOutcome& /*gone*/) { applied->set_value(); },
        [this, committed, change](const absl::Status& status) {
          if (status.ok()) settle(change);
          committed->set_value(status);
        });
    applied.reset();  // a shard that closes lets go of it too
    remove_plan(name);
  }
  for (const Observer& each : observers_) {
    if (each.brings_events) each.observer->undeployed(info.name);
  }
  if (absl::Status done = committed->get_future().get(); !done.ok()) return done;
  const bool wanted = std::any_of(observers_.begin(), observers_.end(), [&](const Observer& each) {
    return each.observer->wants_last_results(info.name);
  });
  // A plan that rests, since nobody takes its results, ends without the last ones.
  if (wanted) is_applied.wait_for(kLastResultsWait);
  for (const Observer& each : observers_) {
    if (!each.brings_events) each.observer->undeployed(info.name);
  }
  return absl::OkStatus();
}

void Node::add_observer(PlanObserver& observer, bool brings_events) {
  std::lock_guard one_at_a_time(deploying_);
  observers_.push_back({&observer, brings_events});
}

void Node::set_dependents(Dependents dependents) {
  std::lock_guard lock(mutex_);
  dependents_ = std::move(dependents);
}

/// Readers keep the log that they have; nobody new finds it.
void Node::drop_unused_logs() {
  std::erase_if(logs_, [&](const auto& log) {
    return std::none_of(plans_.begin(), plans_.end(), [&](const auto& plan) {
      return plan.second.outputs->logs.contains(log.first);
    });
  });
}

PlanInfo Node::info_of(const Plan& plan) const {
  PlanInfo info = plan.info;
  info.counts = plan.shard->counts();
  info.suspended_because = plan.shard->suspended_because();
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
    return done_
               ? absl::OkStatus()
               : absl::UnavailableError("the node stops, or leads no more: the outcome is unknown");
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
      sequencer_.write(shard, {shard->plan(), std::move(text)}, std::move(applied));
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

std::vector<std::shared_ptr<Shard>> Node::shards() const {
  std::vector<std::shared_ptr<Shard>> shards;
  for (const auto& [name, plan] : plans_) shards.push_back(plan.shard);
  return shards;
}

/// Writes a tick whenever a deadline of a plan is due.
void Node::run_ticks() {
  while (true) {
    int64_t next_ms = INT64_MAX;
    {
      std::lock_guard lock(mutex_);
      int64_t now = wall_clock_ms();
      bool due = false;
      for (auto& [name, plan] : plans_) {
        if (!leads_ || plan.shard->tick_waits()) continue;  // tells its deadline once it has had it
        int64_t deadline = plan.shard->next_deadline_ms();
        due = due || deadline <= now;
        if (deadline > now) next_ms = std::min(next_ms, deadline);
      }
      // All hear it, so that the journal need not say who was meant.
      if (due) sequencer_.tick(shards());
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

void Node::stop_ticker() {
  {
    std::lock_guard lock(tick_mutex_);
    ticker_stops_ = true;
  }
  tick_wanted_.notify_one();
  if (ticker_.joinable()) ticker_.join();
}

bool Node::drain(std::chrono::milliseconds at_most) {
  stop_ticker();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  auto until = std::chrono::steady_clock::now() + at_most;
  sequencer_.stop(absl::UnavailableError("the node is stopping"));
  lookups_.close(absl::UnavailableError("the node is stopping"));
  auto committed = std::make_shared<std::promise<void>>();
  sequencer_.when_committed([committed](const absl::Status&) { committed->set_value(); });
  if (committed->get_future().wait_until(until) != std::future_status::ready) return false;
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
  return drained->changed.wait_until(lock, until, [&] { return drained->left == 0; });
}

void Node::stop() {
  stop_ticker();
  sequencer_.stop(absl::UnavailableError("the node is stopping"));
  lookups_.stop(absl::UnavailableError("the node is stopping"));
  workers_.stop();
  std::lock_guard lock(mutex_);
  stopping_ = true;
  for (auto& [name, plan] : plans_) plan.shard->close();
  for (auto& [stream, log] : std::exchange(logs_, {})) {
    if (absl::Status closed = log->close(); !closed.ok() && options_.warn) options_.warn(closed);
  }
}

}  // namespace pollux
