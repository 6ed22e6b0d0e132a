#include "server/publishers/sink_manager.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/stores/external_tables.h"

namespace pollux {
namespace {

const StreamInfo* output_of(const std::vector<StreamInfo>& streams, const std::string& name) {
  auto found = std::find_if(streams.begin(), streams.end(), [&](const StreamInfo& stream) {
    return stream.output && stream.schema->name() == name;
  });
  return found == streams.end() ? nullptr : &*found;
}

}  // namespace

EndpointMistakes SinkManager::set_settings(std::vector<EndpointDefinition> sinks) {
  EndpointMistakes mistakes;
  for (const EndpointDefinition& sink : sinks) check_sink(sink, nullptr, environment_, mistakes);
  if (!mistakes.empty()) return mistakes;
  std::lock_guard lock(mutex_);
  for (EndpointDefinition& sink : sinks) {
    std::string name = sink.name;
    sinks_.insert_or_assign(std::move(name), Sink{std::move(sink), nullptr});
  }
  return mistakes;
}

Diagnostics SinkManager::check(const PlanProposal& plan) const {
  EndpointMistakes mistakes;
  for (const EndpointDefinition& sink : sinks_of(plan.description, mistakes)) {
    const StreamInfo* output = output_of(plan.streams, sink.stream);
    if (output == nullptr && sink.holder == nullptr) {
      mistakes.push_back({sink.place,
                          absl::StrCat("no query of the plan inserts into stream '", sink.stream,
                                       "', so that this sink would get nothing"),
                          {}});
    }
    check_sink(sink, output == nullptr ? nullptr : output->schema, environment_, mistakes,
               StoredTables::kAsk);
  }
  std::vector<EndpointDefinition> of_settings;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, sink] : sinks_) {
      if (sink.definition.plan.empty()) of_settings.push_back(sink.definition);
    }
  }
  for (const EndpointDefinition& sink : of_settings) {
    const StreamInfo* output = output_of(plan.streams, sink.stream);
    if (output == nullptr) continue;
    check_sink(sink, output->schema, environment_, mistakes, StoredTables::kAsk);
  }
  check_external_options(plan.description, environment_.store_in, mistakes);
  return to_diagnostics(mistakes);
}

/// A publisher that knows nothing of attributes goes on with another log of its stream.
bool SinkManager::may_follow(const EndpointDefinition& sink) {
  return !sink.map && sink.option("payload") == nullptr && sink.type != "store";
}

/// Starts the sink, or lets it follow its stream into another log.
void SinkManager::attach(Sink& sink, const PlanOutput& output) {
  if (sink.runner != nullptr && sink.runner->reads(*output.log)) return;
  EndpointMistakes mistakes;
  CheckedSink checked = check_sink(sink.definition, output.log->schema(), environment_, mistakes);
  if (!checked.make) {  // check() was of another set of stores
    for (const EndpointMistake& mistake : mistakes) {
      environment_.warn(
          absl::StrCat("sink '", sink.definition.name, "' cannot start: ", to_text(mistake)));
    }
    return;
  }
  sink.own = checked.own;
  SinkInput input{output.log, output.log->resume(sink.definition.name, output.from)};
  if (sink.runner != nullptr) {
    sink.runner->follow(std::move(input));
    return;
  }
  sink.runner = std::make_shared<SinkRunner>(sink.definition.name, checked.retry, checked.make(),
                                             std::move(input), is_open(sink), environment_.warn);
  auto known = known_.find(sink.definition.name);
  if (known != known_.end()) sink.runner->note_known(known->second);
}

bool SinkManager::is_open(const Sink& sink) const { return leads_ || sink.own; }

void SinkManager::set_leads(bool leads) {
  std::lock_guard lock(mutex_);
  leads_ = leads;
  for (auto& [name, sink] : sinks_) {
    if (sink.runner != nullptr) sink.runner->set_open(is_open(sink));
  }
}

std::map<std::string, LastIds, std::less<>> SinkManager::delivered() const {
  std::map<std::string, LastIds, std::less<>> all;
  std::lock_guard lock(mutex_);
  for (const auto& [name, sink] : sinks_) {
    if (sink.runner == nullptr || sink.own) continue;
    LastIds last = sink.runner->delivered();
    if (!last.empty()) all.emplace(name, std::move(last));
  }
  return all;
}

void SinkManager::note_known(const std::map<std::string, LastIds, std::less<>>& known) {
  std::lock_guard lock(mutex_);
  for (const auto& [name, last] : known) {
    LastIds& mine = known_[name];
    for (const auto& [plan, row] : last) raise_last_id(mine, plan, row);
    auto sink = sinks_.find(name);
    if (sink != sinks_.end() && sink->second.runner != nullptr) {
      sink->second.runner->note_known(last);
    }
  }
}

/// Not under the lock: a database may be slow. Rows of tables are waited for, since whoever comes
/// next begins with what is there.
void SinkManager::end(const Sinks& leaving) const {
  const auto until = std::chrono::steady_clock::now() + kLastRowsWait;
  for (const auto& [name, sink] : leaving) {
    if (sink.definition.type == "store") sink.runner->drain(until);
    sink.runner->stop();
    const uint64_t left = sink.runner->counts().lag_rows;
    sink.runner->forget_places();
    if (left == 0) continue;
    environment_.warn(absl::StrCat("sink '", name, "' ended with ", left, " rows not delivered"));
  }
}

/// Of the plan's sinks, those that are no longer wanted; where `outputs` are of other logs that a
/// sink cannot follow into, only what runs of it.
SinkManager::Sinks SinkManager::take_leaving(const std::string& plan,
                                             const std::vector<EndpointDefinition>& wanted,
                                             const std::map<std::string, PlanOutput>& outputs) {
  Sinks leaving;
  for (auto sink = sinks_.begin(); sink != sinks_.end();) {
    const EndpointDefinition& definition = sink->second.definition;
    const bool mine = definition.plan == plan;
    const bool goes = mine && std::none_of(wanted.begin(), wanted.end(), [&](const auto& each) {
                        return each.same_as(definition);
                      });
    auto output = outputs.find(definition.stream);
    const bool runs = sink->second.runner != nullptr;
    if (runs &&
        (goes || ((mine || definition.plan.empty()) && output != outputs.end() &&
                  !sink->second.runner->reads(*output->second.log) && !may_follow(definition)))) {
      leaving.emplace(sink->first, sink->second);
      sink->second.runner = nullptr;
    }
    sink = goes ? sinks_.erase(sink) : std::next(sink);
  }
  return leaving;
}

void SinkManager::deployed(const PlanProposal& plan, std::map<std::string, PlanOutput> outputs) {
  EndpointMistakes ignored;  // were check()'s to report
  std::vector<EndpointDefinition> wanted = sinks_of(plan.description, ignored);
  const std::string& name = plan.description.name;
  Sinks leaving;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    for (auto& [stream, plans] : writers_) plans.erase(name);
    for (const auto& [stream, output] : outputs) writers_[stream].insert(name);
    leaving = take_leaving(name, wanted, outputs);
  }
  end(leaving);
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  for (EndpointDefinition& sink : wanted) {
    if (sink.holder != nullptr && is_only_read(*sink.holder)) continue;
    std::string sink_name = sink.name;
    sinks_.try_emplace(std::move(sink_name), Sink{std::move(sink), nullptr});
  }
  for (auto& [sink_name, sink] : sinks_) {
    if (!sink.definition.plan.empty() && sink.definition.plan != name) continue;
    auto output = outputs.find(sink.definition.stream);
    if (output != outputs.end()) attach(sink, output->second);
  }
}

void SinkManager::undeployed(const std::string& plan) {
  Sinks leaving;
  {
    std::lock_guard lock(mutex_);
    for (auto& [stream, plans] : writers_) plans.erase(plan);
    leaving = take_leaving(plan, {}, {});
  }
  end(leaving);
}

bool SinkManager::wants_last_results(const std::string& plan) const {
  std::lock_guard lock(mutex_);
  return std::any_of(sinks_.begin(), sinks_.end(), [&](const auto& sink) {
    const EndpointDefinition& definition = sink.second.definition;
    return definition.plan == plan && definition.type == "store" && is_open(sink.second);
  });
}

std::vector<std::string> SinkManager::dependents(const PlanInfo& plan) const {
  std::vector<std::string> who;
  std::lock_guard lock(mutex_);
  for (const auto& [name, sink] : sinks_) {
    if (!sink.definition.plan.empty()) continue;
    auto writers = writers_.find(sink.definition.stream);
    if (writers == writers_.end() || !writers->second.contains(plan.name)) continue;
    if (writers->second.size() > 1) continue;
    who.push_back(absl::StrCat("sink '", name, "' (", to_text(sink.definition.place),
                               ") reads stream '", sink.definition.stream, "'"));
  }
  return who;
}

std::vector<SinkInfo> SinkManager::states() const {
  std::vector<SinkInfo> infos;
  std::vector<std::shared_ptr<SinkRunner>> runners;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, sink] : sinks_) {
      const EndpointDefinition& definition = sink.definition;
      infos.push_back({name, definition.type, definition.stream, definition.plan, {}});
      runners.push_back(sink.runner);
    }
  }
  for (size_t i = 0; i < infos.size(); ++i) {
    if (runners[i] == nullptr) {
      infos[i].counts.state = SinkState::kStopped;
    } else {
      infos[i].counts = runners[i]->counts();
    }
  }
  return infos;
}

std::vector<std::shared_ptr<SinkRunner>> SinkManager::runners() const {
  std::vector<std::shared_ptr<SinkRunner>> runners;
  std::lock_guard lock(mutex_);
  for (const auto& [name, sink] : sinks_) {
    if (sink.runner != nullptr) runners.push_back(sink.runner);
  }
  return runners;
}

bool SinkManager::drain(std::chrono::milliseconds at_most) {
  auto until = std::chrono::steady_clock::now() + at_most;
  bool all = true;
  for (const auto& runner : runners()) all = runner->drain(until) && all;
  return all;
}

void SinkManager::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  for (const auto& runner : runners()) runner->stop();
}

}  // namespace pollux
