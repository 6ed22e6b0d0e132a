// pollux store setup, and pollux store ddl: what stores in databases, and an arbiter in one, need
// before the first start, made or printed.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/formats/output_buffer.h"
#include "server/pair/pair_arbiter.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"
#include "server/tool/store/store_needs.h"

namespace pollux::tool {

namespace {

constexpr std::string_view kNothing =
    "no store and no arbiter is in a database: nothing is to be done";

bool are_none(const StoreNeeds& needs) {
  return needs.stores().empty() && arbiter_table_sql(needs.settings()).empty();
}

absl::Status set_up_store(const StoreNeeds& needs, const std::string& name,
                          const StoreInDatabase& in) {
  auto store = in.database->open(name);
  if (!store.ok()) return store.status();
  for (const TableDefinition& table : needs.tables(name)) {
    if (absl::Status made = (*store)->open_table(table); !made.ok()) return made;
  }
  return absl::OkStatus();
}

ExitCode set_up(const StoreNeedsOptions& options) {
  Console console;
  StoreNeeds needs(console);
  if (ExitCode read = needs.read(options); read != ExitCode::kOk) return read;
  for (const auto& [name, in] : needs.stores()) {
    if (absl::Status done = set_up_store(needs, name, in); !done.ok()) {
      console.message(std::string(done.message()));
      return ExitCode::kUnreachable;
    }
    const size_t tables = needs.plan_tables(name);
    console.message(absl::StrCat("store ", name, " is there, in datasource ", in.datasource.name,
                                 tables == 0 ? "" : absl::StrCat("; tables of plans: ", tables)));
  }
  if (!arbiter_table_sql(needs.settings()).empty()) {
    absl::Status created = create_arbiter_table(needs.settings());
    console.message(created.ok() ? "the table pollux_arbiter is there"
                                 : std::string(created.message()));
    if (!created.ok()) return ExitCode::kUnreachable;
  }
  if (are_none(needs)) console.message(kNothing);
  return ExitCode::kOk;
}

/// Whatever stands in settings stays a comment.
std::string comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return absl::StrCat("-- ", text, "\n");
}

std::string text_of(const std::vector<std::string>& statements) {
  std::string text;
  for (const std::string& statement : statements) absl::StrAppend(&text, statement, ";\n");
  return text;
}

absl::StatusOr<std::string> ddl_of_store(const StoreNeeds& needs, const std::string& name,
                                         const StoreInDatabase& in) {
  std::string text;
  for (const TableDefinition& table : needs.tables(name)) {
    auto statements = in.database->table_sql(name, table);
    if (!statements.ok()) return statements.status();
    absl::StrAppend(&text, "\n",
                    comment(absl::StrCat("store ", name, " in datasource ", in.datasource.name,
                                         ": table ", table.name)),
                    text_of(*statements));
  }
  return text;
}

/// Those of one datasource side by side, as they are made together.
absl::StatusOr<std::string> ddl_of(const StoreNeeds& needs) {
  std::set<std::string> datasources;
  for (const auto& [name, in] : needs.stores()) datasources.insert(in.datasource.name);
  std::string text;
  for (const std::string& datasource : datasources) {
    bool is_first = true;
    for (const auto& [name, in] : needs.stores()) {
      if (in.datasource.name != datasource) continue;
      if (is_first) {
        absl::StrAppend(
            &text, text.empty() ? "" : "\n",
            comment(absl::StrCat("datasource ", datasource, ": ", in.database->place())),
            text_of(in.database->set_up_sql()));
      }
      is_first = false;
      auto tables = ddl_of_store(needs, name, in);
      if (!tables.ok()) return tables;
      text += *tables;
    }
  }
  const std::string arbiter(arbiter_table_sql(needs.settings()));
  if (!arbiter.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n",
                    comment(absl::StrCat("arbiter: ", needs.settings().pair.arbiter)),
                    text_of({arbiter}));
  }
  return text;
}

ExitCode print_ddl(const StoreNeedsOptions& options) {
  Console console;
  StoreNeeds needs(console);
  if (ExitCode read = needs.read(options); read != ExitCode::kOk) return read;
  auto text = ddl_of(needs);
  if (!text.ok()) {
    console.message(std::string(text.status().message()));
    return ExitCode::kBadPlan;
  }
  if (are_none(needs)) console.message(kNothing);
  OutputBuffer out(STDOUT_FILENO);
  out.append(*text);
  out.flush();
  if (out.status() != OutputBuffer::Status::kFailed) return ExitCode::kOk;
  console.message(out.error());
  return ExitCode::kFailed;
}

void add_needs_options(CLI::App& command, StoreNeedsOptions& options) {
  command.add_option("--config", options.config, "Settings of a node, which name the databases")
      ->type_name("FILE");
  command.add_option("PLANS", options.plans, "Plans whose tables are to be there as well")
      ->type_name("FILE...");
}

void add_setup(CLI::App& store, ExitCode& exit_code) {
  CLI::App* setup = store.add_subcommand(
      "setup", "Make what stores and the arbiter need in their databases, and tables of plans");
  auto options = std::make_shared<StoreNeedsOptions>();
  add_needs_options(*setup, *options);
  setup->footer(
      "What is there already is left as it is, so that this may be run again; a server makes the\n"
      "same when it first needs it, if its user may. Tables that a plan has widened get the new\n"
      "columns.\n"
      "Ends with 0 when all is there, 1 for wrong settings, 2 for errors in a plan, 4 when a plan\n"
      "cannot be read, 5 when a database cannot be reached or refuses.\n"
      "\n"
      "Example:\n"
      "  pollux store setup --config /etc/pollux/pollux.yaml conf/plans/login-rollups.siddhi\n");
  setup->callback([options, &exit_code] { exit_code = set_up(*options); });
}

void add_ddl(CLI::App& store, ExitCode& exit_code) {
  CLI::App* ddl = store.add_subcommand(
      "ddl", "Print the SQL that setup would run in empty databases, for an administrator");
  auto options = std::make_shared<StoreNeedsOptions>();
  add_needs_options(*ddl, *options);
  ddl->footer(
      "Connects to nothing. A comment before each part names its datasource, and each table's\n"
      "names its store; where there are several databases, run each part in its own. It is for\n"
      "PostgreSQL 15 and later (before, leave out NULLS NOT DISTINCT), MySQL and MariaDB, and for\n"
      "databases without tables of Pollux: what is there already is an error, so let your client\n"
      "stop at the first one. The server's user then needs SELECT, INSERT, UPDATE and DELETE on\n"
      "these tables, in PostgreSQL also TEMPORARY on the database, which all users have unless it\n"
      "was taken from them.\n"
      "Ends with 0, 1 for wrong settings, 2 for errors in a plan, 4 when a plan cannot be read or\n"
      "nothing can be written.\n"
      "\n"
      "Examples:\n"
      "  pollux store ddl --config pollux.yaml plan.siddhi | psql -1 -v ON_ERROR_STOP=1 pollux\n"
      "  pollux store ddl --config pollux.yaml plan.siddhi | mariadb pollux\n");
  ddl->callback([options, &exit_code] { exit_code = print_ddl(*options); });
}

}  // namespace

void add_store_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand("store", "Set up the databases of stores");
  command->require_subcommand(1);
  add_setup(*command, exit_code);
  add_ddl(*command, exit_code);
}

}  // namespace pollux::tool
