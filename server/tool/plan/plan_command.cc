// pollux plan: `validate` tells all that is wrong with plans, without running them; the others work
// with the plans of a server.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "server/formats/json_text.h"
#include "server/formats/output_buffer.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"
#include "server/tool/dialect_option.h"
#include "server/tool/function_options.h"
#include "server/tool/parameter_options.h"
#include "server/tool/plan/server_plans.h"
#include "server/tool/plan_file.h"

namespace pollux::tool {

namespace {

struct ValidateOptions {
  std::vector<std::string> files;
  Dialect dialect = Dialect::k51;
  FunctionOptions functions;
  std::vector<std::string> parameters;  ///< NAME=VALUE
  bool json = false;
};

struct Verdict {
  PlanFile file;
  Diagnostics diagnostics;
};

void write_json(const std::vector<Verdict>& verdicts, OutputBuffer& out) {
  for (const Verdict& verdict : verdicts) {
    bool valid = verdict.file.error.empty() && verdict.diagnostics.empty();
    out.append("{\"file\":" + json_string(verdict.file.path));
    out.append(valid ? ",\"valid\":true" : ",\"valid\":false");
    if (!verdict.file.error.empty()) out.append(",\"error\":" + json_string(verdict.file.error));
    out.append(",\"diagnostics\":[");
    for (size_t i = 0; i < verdict.diagnostics.size(); ++i) {
      const Diagnostic& diagnostic = verdict.diagnostics[i];
      if (i != 0) out.append(',');
      out.append("{\"line\":" + std::to_string(diagnostic.location.line) +
                 ",\"column\":" + std::to_string(diagnostic.location.column) +
                 ",\"message\":" + json_string(diagnostic.message) +
                 ",\"expected\":" + json_string(diagnostic.expected) +
                 ",\"hint\":" + json_string(diagnostic.hint) + "}");
    }
    out.append("]}\n");
  }
}

void write_text(const std::vector<Verdict>& verdicts, OutputBuffer& out, Console& console) {
  for (const Verdict& verdict : verdicts) {
    if (!verdict.file.error.empty()) {
      console.message(verdict.file.error);
    } else if (!verdict.diagnostics.empty()) {
      console.message(to_text(verdict.diagnostics, verdict.file.path));
    } else {
      out.append(verdict.file.path + ": ok\n");
    }
  }
}

Diagnostics validated(const std::string& text, const PlanParameters& parameters, Dialect dialect) {
  FilledText filled(text, parameters);
  if (!filled.errors().empty()) return filled.errors();
  Diagnostics diagnostics = Engine::validate(filled.text(), dialect);
  filled.to_original(diagnostics);
  return diagnostics;
}

ExitCode validate(const ValidateOptions& options) {
  Console console;
  if (std::string missing = load_functions(options.functions); !missing.empty()) {
    console.message(missing);
    return ExitCode::kFailed;
  }
  std::vector<Verdict> verdicts;
  bool unreadable = false;
  bool wrong = false;
  for (const std::string& path : options.files) {
    Verdict verdict{read_plan_file(path), {}};
    if (verdict.file.error.empty()) {
      verdict.diagnostics =
          validated(verdict.file.text, parameters_of(options.parameters), options.dialect);
    } else {
      unreadable = true;
    }
    wrong |= !verdict.diagnostics.empty();
    verdicts.push_back(std::move(verdict));
  }
  OutputBuffer out(STDOUT_FILENO);
  if (options.json) {
    write_json(verdicts, out);
  } else {
    write_text(verdicts, out, console);
  }
  out.flush();
  if (out.status() == OutputBuffer::Status::kFailed) {
    console.message("standard output: " + out.error());
    return ExitCode::kFailed;
  }
  if (wrong) return ExitCode::kBadPlan;
  return unreadable ? ExitCode::kFailed : ExitCode::kOk;
}

}  // namespace

void add_plan_command(CLI::App& app, ConnectionOptions& connection, ExitCode& exit_code) {
  CLI::App* plan = app.add_subcommand("plan", "Check plan files; work with the plans of a server");
  plan->require_subcommand(1);
  plan->footer(
      "Examples:\n"
      "  pollux plan validate conf/plans/*.siddhi\n"
      "  pollux plan deploy guess.siddhi\n");
  CLI::App* command = plan->add_subcommand(
      "validate",
      "Report all errors of plans: FILE:LINE:COLUMN, what is wrong, what was expected, a hint");
  auto options = std::make_shared<ValidateOptions>();
  command->add_option("FILE", options->files, "Plans in SiddhiQL")->required();
  add_function_options(*command, options->functions);
  add_dialect_option(*command, options->dialect);
  add_parameter_option(*command, "--set,--param", options->parameters);
  command->add_flag("--json", options->json,
                    "One JSON object a file on stdout: file, valid, diagnostics (line, column, "
                    "message, expected, hint)");
  command->footer(
      "Ends with 0 when all plans are valid, 2 when one has errors, 4 when a file cannot be read.\n"
      "\n"
      "Example:\n"
      "  pollux plan validate conf/plans/*.siddhi\n");
  command->callback([options, &exit_code] { exit_code = validate(*options); });
  add_server_plan_commands(*plan, connection, exit_code);
}

}  // namespace pollux::tool
