// pollux completion: scripts for shells, made from the command line's own tree.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/formats/output_buffer.h"
#include "server/tool/commands.h"
#include "server/tool/completion/completion_script.h"
#include "server/tool/console.h"

namespace pollux::tool {

namespace {

ExitCode print_script(const CLI::App& app, const std::string& shell) {
  OutputBuffer out(STDOUT_FILENO);
  out.append(completion_script(command_words(app), shell));
  out.flush();
  if (out.status() != OutputBuffer::Status::kFailed) return ExitCode::kOk;
  Console().message("standard output: cannot write: " + out.error());
  return ExitCode::kFailed;
}

}  // namespace

void add_completion_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* command = app.add_subcommand("completion", "Print a script that completes commands");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("bash|zsh|fish");
  command->footer(
      "Examples:\n"
      "  source <(pollux completion bash)\n"
      "  pollux completion zsh > ~/.zfunc/_pollux\n"
      "  pollux completion fish > ~/.config/fish/completions/pollux.fish\n");
  command->callback([shell, &app, &exit_code] { exit_code = print_script(app, *shell); });
}

}  // namespace pollux::tool
