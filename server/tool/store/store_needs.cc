#include "server/tool/store/store_needs.h"

#include <algorithm>
#include <utility>

#include "engine/language/parameters.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/no_results.h"
#include "server/publishers/sink_types.h"
#include "storage/refused_rows.h"

namespace pollux::tool {

ExitCode StoreNeeds::read(const StoreNeedsOptions& options) {
  loaded_ = load_settings({options.config, process_environment()});
  if (loaded_.errors.empty()) loaded_.errors = check_endpoints(loaded_.settings);
  for (const SettingError& error : loaded_.errors) console_.message(to_text(error));
  if (!loaded_.errors.empty()) return ExitCode::kUsage;
  for (const std::string& path : options.plans) {
    PlanFile file = read_plan_file(path);
    if (!file.error.empty()) {
      console_.message(file.error);
      return ExitCode::kFailed;
    }
    if (!read_plan(file)) return ExitCode::kBadPlan;
  }
  stores_ = stores_in_databases(loaded_.settings);
  return ExitCode::kOk;
}

std::vector<TableDefinition> StoreNeeds::tables(const std::string& store) const {
  std::vector<TableDefinition> all;
  if (auto known = tables_.find(store); known != tables_.end()) all = known->second;
  all.push_back(refused_rows_definition());
  return all;
}

size_t StoreNeeds::plan_tables(const std::string& store) const {
  auto known = tables_.find(store);
  return known == tables_.end() ? 0 : known->second.size();
}

bool StoreNeeds::read_plan(const PlanFile& file) {
  PlanParameters parameters;
  parameters.insert(loaded_.settings.parameters.begin(), loaded_.settings.parameters.end());
  FilledText filled(file.text, parameters);
  if (!filled.errors().empty()) return tell(file, filled.errors());
  Engine engine;
  NoResults nowhere;
  DeployPayload payload{
      .plan = file.name, .text = filled.text(), .dialect = loaded_.settings.engine.dialect};
  ApplyOutcome outcome = engine.apply({{Epoch{1}, {1}}, {0}, payload}, nowhere);
  if (outcome.status != ApplyStatus::kApplied) return tell(file, outcome.diagnostics);
  EndpointMistakes mistakes;
  SinkEnvironment environment;
  environment.store_in = store_in_of(loaded_.settings);
  const std::vector<StreamInfo> streams = engine.streams(outcome.plan);
  for (const auto& sink : sinks_of(*engine.describe(outcome.plan), mistakes)) {
    SchemaPtr schema;
    for (const StreamInfo& stream : streams) {
      if (stream.schema->name() == sink.stream) schema = stream.schema;
    }
    CheckedSink checked = check_sink(sink, schema, environment, mistakes);
    if (!checked.table) continue;
    if (absl::Status added = add(checked.store, *checked.table); !added.ok()) {
      mistakes.push_back({sink.place, std::string(added.message()), ""});
    }
  }
  return mistakes.empty() || tell(file, to_diagnostics(mistakes));
}

/// Two plans may keep the same one, of which the wider is made.
absl::Status StoreNeeds::add(const std::string& store, const TableDefinition& table) {
  std::vector<TableDefinition>& tables = tables_[store];
  auto known = std::ranges::find(tables, table.name, &TableDefinition::name);
  if (known == tables.end()) {
    tables.push_back(table);
    return absl::OkStatus();
  }
  absl::Status follows = check_successor(*known, table);
  if (follows.ok()) *known = table;
  return follows;
}

bool StoreNeeds::tell(const PlanFile& file, const Diagnostics& diagnostics) {
  console_.message(to_text(diagnostics, file.path));
  return false;
}

}  // namespace pollux::tool
