// pollux store setup: what stores in databases, and an arbiter in one, need before the first start.

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/language/parameters.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/no_results.h"
#include "server/daemon/settings_endpoints.h"
#include "server/pair/pair_arbiter.h"
#include "server/publishers/sink_types.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"
#include "server/tool/plan_file.h"

namespace pollux::tool {

namespace {

struct SetupOptions {
  std::string config;
  std::vector<std::string> plans;
};

class Setup {
 public:
  explicit Setup(const SetupOptions& options) : options_(options) {}

  ExitCode run() {
    loaded_ = load_settings({options_.config, process_environment()});
    if (loaded_.errors.empty()) loaded_.errors = check_endpoints(loaded_.settings);
    for (const SettingError& error : loaded_.errors) console_.message(to_text(error));
    if (!loaded_.errors.empty()) return ExitCode::kUsage;
    if (ExitCode read = read_plans(); read != ExitCode::kOk) return read;
    for (const auto& [name, in] : stores_in_databases(loaded_.settings)) {
      if (!set_up_store(name, in)) return ExitCode::kUnreachable;
    }
    if (!set_up_arbiter()) return ExitCode::kUnreachable;
    if (!any_) console_.message("no store and no arbiter is in a database: nothing is to be done");
    return ExitCode::kOk;
  }

 private:
  using Tables = std::vector<TableDefinition>;

  /// What tables the plans keep, and where.
  ExitCode read_plans() {
    for (const std::string& path : options_.plans) {
      PlanFile file = read_plan_file(path);
      if (!file.error.empty()) {
        console_.message(file.error);
        return ExitCode::kFailed;
      }
      if (!read_plan(file)) return ExitCode::kBadPlan;
    }
    return ExitCode::kOk;
  }

  bool read_plan(const PlanFile& file) {
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
      if (checked.table) tables_[checked.store].push_back(*std::move(checked.table));
    }
    return mistakes.empty() || tell(file, to_diagnostics(mistakes));
  }

  /// Always false.
  bool tell(const PlanFile& file, const Diagnostics& diagnostics) {
    console_.message(to_text(diagnostics, file.path));
    return false;
  }

  bool set_up_store(const std::string& name, const StoreInDatabase& in) {
    any_ = true;
    auto store = in.database->open(name);
    absl::Status done = store.status();
    const Tables& tables = tables_[name];
    for (const TableDefinition& table : tables) {
      if (done.ok()) done = (*store)->open_table(table);
    }
    if (!done.ok()) {
      console_.message(std::string(done.message()));
      return false;
    }
    console_.message(
        absl::StrCat("store ", name, " is there, in datasource ", in.datasource.name,
                     tables.empty() ? "" : absl::StrCat("; tables of plans: ", tables.size())));
    return true;
  }

  bool set_up_arbiter() {
    const std::string& arbiter = loaded_.settings.pair.arbiter;
    if (!arbiter.starts_with("postgresql://") && !arbiter.starts_with("mysql://")) return true;
    any_ = true;
    absl::Status created = create_arbiter_table(loaded_.settings);
    console_.message(created.ok() ? "the table pollux_arbiter is there"
                                  : std::string(created.message()));
    return created.ok();
  }

  const SetupOptions& options_;
  Console console_;
  LoadedSettings loaded_;
  std::map<std::string, Tables> tables_;  ///< by store
  bool any_ = false;
};

}  // namespace

void add_store_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand("store", "Set up the databases of stores");
  command->require_subcommand(1);
  CLI::App* setup = command->add_subcommand(
      "setup", "Make what stores and the arbiter need in their databases, and tables of plans");
  auto options = std::make_shared<SetupOptions>();
  setup->add_option("--config", options->config, "Settings of a node, which name the databases")
      ->type_name("FILE");
  setup->add_option("PLANS", options->plans, "Plans whose tables are to be made as well")
      ->type_name("FILE...");
  setup->footer(
      "What is there already is left as it is, so that this may be run again; a server makes the\n"
      "same when it first needs it, if its user may. Tables that a plan has widened get the new\n"
      "columns.\n"
      "Ends with 0 when all is there, 1 for wrong settings, 2 for errors in a plan, 4 when a plan\n"
      "cannot be read, 5 when a database cannot be reached or refuses.\n"
      "\n"
      "Example:\n"
      "  pollux store setup --config /etc/pollux/pollux.yaml conf/plans/login-rollups.siddhi\n");
  setup->callback([options, &exit_code] { exit_code = Setup(*options).run(); });
}

}  // namespace pollux::tool
