#include "server/tool/run/entry_replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tool/journal/entry_id_text.h"

namespace pollux::tool {

class EntryReplay::Sink final : public ResultSink {
 public:
  explicit Sink(const EntryReplay& replay) : replay_(replay) {}

  void on_result(const ResultBatch& results) override {
    ResultSlice slice;
    slice.plan = std::make_shared<const std::string>(results.plan);
    slice.cause = results.cause;
    slice.batch = results.batch;
    slice.ordinals.assign(results.ordinals.begin(), results.ordinals.end());
    replay_.callbacks_.results(slice);
  }

 private:
  const EntryReplay& replay_;
};

absl::Status EntryReplay::apply(const Entry& entry) {
  if (const auto* payload = std::get_if<DeployPayload>(&entry.payload)) {
    return deploy(entry, *payload);
  }
  bool concerned = std::holds_alternative<PersistPayload>(entry.payload) ||
                   std::holds_alternative<EpochBeginPayload>(entry.payload);
  if (std::holds_alternative<TickPayload>(entry.payload)) {
    for (const auto& plan : plans_) apply_to(*plan, entry);
    concerned = true;
  } else if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
    for (const auto& plan : plans_) {
      if (!plan->inputs.contains(events->batch->schema().name())) continue;
      apply_to(*plan, entry);
      concerned = true;
    }
  } else if (const auto* write = std::get_if<WritePayload>(&entry.payload)) {
    Plan* plan = find(write->plan);
    if (plan != nullptr) apply_to(*plan, entry);
    concerned = plan != nullptr;
  } else if (const auto* undeploy = std::get_if<UndeployPayload>(&entry.payload)) {
    concerned =
        std::erase_if(plans_, [&](const auto& plan) { return plan->name == undeploy->plan; }) > 0;
  }
  if (!concerned) ++without_plan_;
  return absl::OkStatus();
}

absl::Status EntryReplay::deploy(const Entry& entry, const DeployPayload& payload) {
  // Only a plan's text says for sure what it is called.
  struct Nowhere final : ResultSink {
    void on_result(const ResultBatch&) override {}
  } nowhere;
  Engine trial;
  ApplyOutcome tried = trial.apply({{{1}, {1}}, {0}, payload}, nowhere);
  if (tried.status == ApplyStatus::kRejected) {
    return absl::FailedPreconditionError(absl::StrCat(
        "plan '", payload.plan, "' of entry ", to_text(entry.id), " is not taken by this version: ",
        tried.reason, "\n", to_text(tried.diagnostics, payload.plan)));
  }
  Plan* plan = find(tried.plan);
  if (plan == nullptr) {
    plan = plans_.emplace_back(std::make_unique<Plan>()).get();
    plan->name = tried.plan;
    plan->engine = std::make_unique<Engine>(EngineOptions{.is_result = {}, .log = callbacks_.log});
    names_.insert(tried.plan);
  }
  Sink sink(*this);
  ApplyOutcome outcome = plan->engine->apply(entry, sink);
  if (outcome.status == ApplyStatus::kRejected) {
    return absl::FailedPreconditionError(absl::StrCat(
        "plan '", tried.plan, "' of entry ", to_text(entry.id), " is refused: ", outcome.reason));
  }
  note(outcome);
  plan->inputs.clear();
  for (const StreamInfo& stream : plan->engine->streams(plan->name)) {
    if (stream.input) plan->inputs.insert(stream.schema->name());
  }
  return absl::OkStatus();
}

EntryReplay::Plan* EntryReplay::find(std::string_view name) {
  auto found = std::find_if(plans_.begin(), plans_.end(),
                            [name](const auto& plan) { return plan->name == name; });
  return found == plans_.end() ? nullptr : found->get();
}

void EntryReplay::apply_to(Plan& plan, const Entry& entry) {
  Sink sink(*this);
  note(plan.engine->apply(entry, sink));
}

void EntryReplay::note(const ApplyOutcome& outcome) {
  if (outcome.status == ApplyStatus::kSuspended) callbacks_.suspended(outcome);
}

}  // namespace pollux::tool
