#include "server/tool/plan/server_plans.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/formats/json_text.h"
#include "server/tool/client/client_session.h"
#include "server/tool/client/json_fields.h"
#include "server/tool/parameter_options.h"
#include "server/tool/plan_file.h"
#include "server/tool/text_format.h"
#include "server/tool/text_table.h"

namespace pollux::tool {

namespace {

using simdjson::dom::element;

struct ServerPlanOptions {
  std::string file{};
  std::string name{};
  std::vector<std::string> parameters{};  ///< NAME=VALUE
  bool replace = false;
  bool force = false;
  bool json = false;
};

using Options = std::shared_ptr<ServerPlanOptions>;

/// Asks, prints the answer as it came or has `write` print it for people.
template <class Write>
ExitCode ask_and_print(const ConnectionOptions& connection, bool json, const ApiRequest& request,
                       const std::string& file, const Write& write) {
  ClientSession session(connection, json);
  std::optional<ApiAnswer> answer = session.ask(request, file);
  if (!answer) return session.finish();
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(answer->body).get(document) != simdjson::SUCCESS) {
    session.fail(ExitCode::kRefused, session.client().url() + ": the answer is not JSON");
  } else if (json) {
    session.out().append(std::string(simdjson::minify(document)) + "\n");
  } else {
    write(document, session.out());
  }
  return session.finish();
}

// ---- list ----

ExitCode list_plans(const ConnectionOptions& connection, const ServerPlanOptions& options) {
  auto write = [](const element& answer, OutputBuffer& out) {
    TextTable table({{"PLAN"},
                     {"STATE"},
                     {"EVENTS", true},
                     {"RESULTS", true},
                     {"INPUTS"},
                     {"OUTPUTS"},
                     {"DEPLOYED"}});
    for (const element& plan : list_at(answer, "plans")) {
      element counts;
      if (plan["counts"].get(counts) != simdjson::SUCCESS) counts = plan;
      table.add({printable(text_at(plan, "name")), printable(text_at(plan, "state")),
                 with_thousands(number_at(counts, "events")),
                 with_thousands(number_at(counts, "results")), joined_texts_at(plan, "inputs"),
                 joined_texts_at(plan, "outputs"), printable(text_at(plan, "deployed_at"))});
    }
    out.append(table.empty() ? "no plans\n" : table.text());
  };
  return ask_and_print(connection, options.json, {.path = "/v1/plans"}, {}, write);
}

// ---- deploy ----

std::string deploy_body(const PlanFile& file, const ServerPlanOptions& options) {
  // A file's name serves a plan that has none of its own, as it does in `pollux run`.
  std::string body = "{\"text\":" + json_string(file.text);
  body += ",\"name\":" + json_string(options.name.empty() ? file.name : options.name);
  if (options.replace) body += ",\"replace\":true";
  std::string values;
  for (const auto& [name, value] : parameters_of(options.parameters)) {
    values += (values.empty() ? "" : ",") + json_string(name) + ":" + json_string(value);
  }
  if (!values.empty()) body += ",\"parameters\":{" + values + "}";
  return body + "}";
}

/// What became of the state of the plan that was replaced.
void write_handed_over(const element& answer, OutputBuffer& out) {
  element state;
  if (answer["state"].get(state) != simdjson::SUCCESS) return;
  for (auto [key, what] : {std::pair("kept", "keeps its state: "),
                           {"fresh", "begins without: "},
                           {"dropped", "state dropped: "}}) {
    std::string parts = joined_texts_at(state, key);
    if (!parts.empty()) out.append(std::string("  ") + what + parts + "\n");
  }
}

ExitCode deploy_plan(const ConnectionOptions& connection, const ServerPlanOptions& options) {
  const PlanFile file = read_plan_file(options.file);
  if (!file.error.empty()) {
    Console().message(file.error);
    return ExitCode::kFailed;
  }
  auto write = [](const element& answer, OutputBuffer& out) {
    out.append(printable(text_at(answer, "plan")) +
               (flag_at(answer, "unchanged")  ? ": unchanged, deployed"
                : flag_at(answer, "replaced") ? ": replaced"
                                              : ": deployed") +
               " at " + std::to_string(number_at(answer, "epoch")) + "." +
               std::to_string(number_at(answer, "position")) + "\n");
    write_handed_over(answer, out);
  };
  ApiRequest request{.method = "POST", .path = "/v1/plans"};
  request.body = deploy_body(file, options);
  return ask_and_print(connection, options.json, request, file.path, write);
}

// ---- show ----

void write_tables(const element& plan, OutputBuffer& out) {
  TextTable table({{"TABLE"}, {"ROWS", true}, {"STATE BYTES", true}});
  for (const element& item : list_at(plan, "tables")) {
    table.add({printable(text_at(item, "name")), with_thousands(number_at(item, "rows")),
               with_thousands(number_at(item, "state_bytes"))});
  }
  if (!table.empty()) out.append("\n" + table.text());
}

/// A plan's text is printed as it is, but for what would move a terminal.
std::string printable_lines(const std::string& text) {
  std::string lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    while (line.ends_with('\r')) line.pop_back();
    for (size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t')) {
      line.replace(tab, 1, "  ");
    }
    lines += printable(line) + "\n";
    at = end + 1;
  }
  return lines;
}

void write_plan(const element& plan, OutputBuffer& out) {
  element counts;
  if (plan["counts"].get(counts) != simdjson::SUCCESS) counts = plan;
  std::string description = printable(text_at(plan, "description"));
  std::string reason = printable(text_at(plan, "reason"));
  std::string origin = printable(text_at(plan, "origin"));
  out.append(printable(text_at(plan, "name")) + ": " + printable(text_at(plan, "state")) +
             (reason.empty() ? "" : " (" + reason + ")") + "\n");
  if (!description.empty()) out.append(description + "\n");
  out.append("deployed " + printable(text_at(plan, "deployed_at")) +
             (origin.empty() ? "" : " from " + origin) + " at " +
             std::to_string(number_at(plan, "epoch")) + "." +
             std::to_string(number_at(plan, "position")) + "\n");
  out.append("reads " + joined_texts_at(plan, "inputs") + "; writes " +
             joined_texts_at(plan, "outputs") + "\n");
  out.append(counted(number_at(counts, "events"), "event") + " in, " +
             counted(number_at(counts, "results"), "result") + " out, " +
             with_thousands(number_at(counts, "queued_entries")) + " entries queued, " +
             with_thousands(number_at(plan, "state_bytes")) + " bytes of state\n");
  write_tables(plan, out);
  out.append("\n" + printable_lines(text_at(plan, "text")));
}

ExitCode show_plan(const ConnectionOptions& connection, const ServerPlanOptions& options) {
  return ask_and_print(connection, options.json, {.path = "/v1/plans/" + url_encoded(options.name)},
                       {}, write_plan);
}

// ---- undeploy ----

ExitCode undeploy_plan(const ConnectionOptions& connection, const ServerPlanOptions& options) {
  auto write = [](const element& answer, OutputBuffer& out) {
    out.append(printable(text_at(answer, "plan")) + ": undeployed\n");
  };
  ApiRequest request{.method = "DELETE", .path = "/v1/plans/" + url_encoded(options.name)};
  if (options.force) request.path += "?force=true";
  return ask_and_print(connection, options.json, request, {}, write);
}

// ---- persist ----

ExitCode persist_plan(const ConnectionOptions& connection, const ServerPlanOptions& options) {
  auto write = [](const element& answer, OutputBuffer& out) {
    out.append(printable(text_at(answer, "plan")) + ": " +
               counted(number_at(answer, "state_bytes"), "byte") + " of state at " +
               std::to_string(number_at(answer, "epoch")) + "." +
               std::to_string(number_at(answer, "position")) + " in " +
               printable(text_at(answer, "file")) + "\n");
  };
  ApiRequest request{.method = "POST",
                     .path = "/v1/plans/" + url_encoded(options.name) + "/persist"};
  return ask_and_print(connection, options.json, request, {}, write);
}

using Work = ExitCode (*)(const ConnectionOptions&, const ServerPlanOptions&);

struct PlanCommand {
  const char* name;
  const char* what;
  const char* json;
  const char* footer;
  Work work;
};

CLI::App* add_command(CLI::App& plan, const PlanCommand& described, const Options& options,
                      ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* command = plan.add_subcommand(described.name, described.what);
  command->footer(described.footer);
  add_server_option(*command, connection);
  command->add_flag("--json", options->json, described.json);
  command->callback([work = described.work, options, &connection, &exit_code] {
    exit_code = work(connection, *options);
  });
  return command;
}

}  // namespace

void add_server_plan_commands(CLI::App& plan, ConnectionOptions& connection, ExitCode& exit_code) {
  auto options = std::make_shared<ServerPlanOptions>();
  add_command(plan,
              {"list", "Show the plans of a server", "The server's answer: plans",
               "Example:\n  pollux plan list\n", list_plans},
              options, connection, exit_code);
  CLI::App* deploy = add_command(
      plan,
      {"deploy", "Deploy a plan on a server",
       "The server's answer: plan, epoch, position, replaced, and what of the state was kept; or "
       "its error, with diagnostics",
       "All errors of the plan are told as FILE:LINE:COLUMN, and nothing is deployed then. Ends\n"
       "with 0, 2 for errors in the plan, 4 when the file cannot be read, 5 when the server "
       "cannot\n"
       "be reached, 6 when it refuses: there is such a plan, or its streams do not fit others.\n"
       "\n"
       "Examples:\n"
       "  pollux plan deploy guess.siddhi\n"
       "  pollux plan deploy guess.siddhi --replace --set failures=5\n",
       deploy_plan},
      options, connection, exit_code);
  deploy->add_option("FILE", options->file, "The plan, in SiddhiQL")->required();
  deploy
      ->add_option("--name", options->name,
                   "The plan's name where its text gives none (default: that of the file)")
      ->type_name("NAME");
  add_parameter_option(*deploy, "--set,--param", options->parameters);
  deploy->add_flag("--replace", options->replace, "Replace the plan of that name, if there is one");
  CLI::App* show =
      add_command(plan,
                  {"show", "Show a plan of a server: state, counts, tables, text",
                   "The server's answer", "Example:\n  pollux plan show Guess\n", show_plan},
                  options, connection, exit_code);
  show->add_option("NAME", options->name, "The plan")->required();
  CLI::App* persist = add_command(
      plan,
      {"persist", "Write the state of all plans now, and show this one's revision",
       "The server's answer: plan, epoch, position, file, file_bytes, state_bytes, pause_us",
       "Ends with 6 when the server cannot write it, or keeps nothing (persistence.enabled: "
       "false).\n"
       "\n"
       "Example:\n  pollux plan persist Guess\n",
       persist_plan},
      options, connection, exit_code);
  persist->add_option("NAME", options->name, "The plan")->required();
  CLI::App* undeploy = add_command(
      plan,
      {"undeploy", "Remove a plan and its state from a server",
       "The server's answer: plan, undeployed",
       "Ends with 6 when other plans need its streams; --force removes it all the same.\n"
       "\n"
       "Example:\n  pollux plan undeploy Guess\n",
       undeploy_plan},
      options, connection, exit_code);
  undeploy->add_option("NAME", options->name, "The plan")->required();
  undeploy->add_flag("--force", options->force, "Even when other plans need it");
}

}  // namespace pollux::tool
